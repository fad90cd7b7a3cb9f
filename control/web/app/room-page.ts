import { html } from "htm/preact";
import { useState } from "preact/hooks";
import {
  asWeirError,
  type Publication,
  type Room,
  type WeirError,
} from "../sdk/index.ts";
import { Brand } from "./brand.ts";
import { Controls } from "./controls.ts";
import { useCopy } from "./copy-link.ts";
import { FleetPanel } from "./fleet-panel.ts";
import { Icon } from "./icons.ts";
import { describe } from "./status-text.ts";
import { makeTestPicture } from "./test-picture.ts";
import { RemoteTile, SelfTile } from "./tile.ts";
import { useRoom } from "./use-room.ts";

interface Props {
  room: Room;
  name: string;
  /** Whether the deployment shows its servers to everyone. */
  showFleet: boolean;
  onLeave(): void;
  onAgain(): void;
}

/** A room from within: everyone's pictures, the controls, and the servers behind. */
export function RoomPage({ room, name, showFleet, onLeave, onAgain }: Props) {
  useRoom(room);
  const [problem, setProblem] = useState<WeirError>();
  const [notice, setNotice] = useState<string>();
  const [soundBlocked, setSoundBlocked] = useState(false);
  const [busy, setBusy] = useState(false);

  /** Does what a button asks for, and keeps the reason where it fails. */
  const act = async (action: () => Promise<unknown>) => {
    setProblem(undefined);
    setNotice(undefined);
    setBusy(true);
    try {
      await action();
    } catch (error) {
      setProblem(asWeirError(error));
    } finally {
      setBusy(false);
    }
  };

  const publishTest = () => room.publishCamera({ stream: makeTestPicture(name) });
  const goLive = () =>
    act(async () => {
      try {
        return await room.publishCamera();
      } catch (error) {
        if (asWeirError(error).code !== "no-device") throw error;
        setNotice("There is no camera here, so a test picture is shown.");
        return await publishTest();
      }
    });

  const status = describe(room, problem, notice);
  const own = [...room.publications];
  const others = [...room.broadcasts.values()].filter(
    ({ id, sessionId }) =>
      sessionId !== room.sessionId && !own.some(({ broadcastId }) => broadcastId === id),
  );
  const count = others.length + own.length;
  return html`<div class="room">
    <${RoomHeader} room=${room} onLeave=${onLeave} />
    <main class="stage">
      <h2 class="unseen">Pictures</h2>
      ${
        count === 0
          ? html`<p class="empty">${emptyText(room)}</p>`
          : html`<ul class="grid" data-columns=${columnsFor(count)}>
              ${own.map(
                (publication: Publication) =>
                  html`<${SelfTile} publication=${publication} name=${name} />`,
              )}
              ${others.map(
                (broadcast) =>
                  html`<${RemoteTile}
                    key=${broadcast.id}
                    broadcast=${broadcast}
                    view=${room.views.get(broadcast.id)}
                    muted=${soundBlocked}
                    onSoundBlocked=${() => setSoundBlocked(true)}
                  />`,
              )}
            </ul>`
      }
    </main>
    <div class="dock">
      <p
        class="status"
        role="status"
        aria-live="polite"
        data-testid="status"
        data-tone=${status.tone}
        data-state=${room.state}
        data-code=${problem?.code ?? room.error?.code}
      >
        ${status.text}
      </p>
      ${
        soundBlocked &&
        html`<button class="primary" onClick=${() => setSoundBlocked(false)}>
          <${Icon} name="sound" /> Turn sound on
        </button>`
      }
      ${
        room.state === "closed"
          ? html`<button class="primary" data-testid="enter-again" onClick=${onAgain}>
              Enter again
            </button>`
          : html`<${Controls}
              room=${room}
              busy=${busy}
              act=${act}
              onLive=${goLive}
              onTest=${() => act(publishTest)}
            />`
      }
    </div>
    ${showFleet && html`<${FleetPanel} room=${room} />`}
  </div>`;
}

function RoomHeader({ room, onLeave }: { room: Room; onLeave(): void }) {
  const { copied, copy } = useCopy(`${location.origin}/room/${room.id}`);
  const { info } = room;
  const people = room.sessions.size;
  return html`<header class="room-head">
    <h1><${Brand} /></h1>
    <p class="room-name">
      ${info?.name || "Room"} <span class="tag">tier ${info?.tier ?? 0}</span>
    </p>
    <details class="people">
      <summary aria-label=${`${people} in the room`}>
        <${Icon} name="people" /> ${people}
      </summary>
      <ul>
        ${[...room.sessions].map(
          ([id, identity]) =>
            html`<li key=${id}>${identity}${id === room.sessionId ? " (you)" : ""}</li>`,
        )}
      </ul>
    </details>
    <button type="button" onClick=${copy} aria-label="Copy the room's link">
      <${Icon} name=${copied ? "check" : "copy"} />
      <span class="wide-only">${copied ? "Copied" : "Invite"}</span>
    </button>
    <button type="button" class="danger" data-testid="leave" aria-label="Leave the room" onClick=${onLeave}>
      <${Icon} name="leave" /> <span class="wide-only">Leave</span>
    </button>
  </header>`;
}

function emptyText(room: Room): string {
  if (room.info?.broadcasts.max === 0) return "Rooms of this tier have no cameras.";
  return "Nobody is live yet. Go live, or share the room's link.";
}

/** As many columns as keep the tiles large. */
function columnsFor(count: number): number {
  return Math.min(7, Math.ceil(Math.sqrt(count)));
}
