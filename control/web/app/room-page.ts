import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asWeirError, type Room, type WeirError } from "../sdk/index.ts";
import { ChatPanel } from "./chat-panel.ts";
import { Controls } from "./controls.ts";
import { FleetPanel } from "./fleet-panel.ts";
import { Icon } from "./icons.ts";
import { RoomEnded } from "./room-ended.ts";
import { RoomHead } from "./room-head.ts";
import { Stage } from "./stage.ts";
import { describe } from "./status-text.ts";
import { makeTestPicture } from "./test-picture.ts";
import { useChat } from "./use-chat.ts";
import { useRoom } from "./use-room.ts";

interface Props {
  room: Room;
  name: string;
  /** Whether rooms of a tier are for chat alone. */
  isChatOnly(tier: number): boolean;
  /** Whether the deployment shows its servers to everyone. */
  showFleet: boolean;
  onLeave(): void;
  onAgain(): void;
}

/** A room from within: pictures, chat, the controls, and the servers behind. */
export function RoomPage(props: Props) {
  const { room, name, onLeave, onAgain } = props;
  useRoom(room);
  // A token of an invitation may carry another name than the one entered.
  const identity = room.sessions.get(room.sessionId ?? "") ?? name;
  const chatOnly = props.isChatOnly(room.info?.tier ?? 0);
  const chat = useChat(room, identity, chatOnly);
  const chatToggle = useRef<HTMLButtonElement>(null);
  const [problem, setProblem] = useState<WeirError>();
  const [notice, setNotice] = useState<string>();
  const [soundBlocked, setSoundBlocked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [showNumbers, setShowNumbers] = useState(false);

  // Who streams from an encoder hears here why it was ended, as OBS does not say.
  useEffect(
    () =>
      room.on("broadcast.stopped", ({ broadcast, reason }) => {
        if (!reason || broadcast?.identity !== identity) return;
        if (![...room.publications].some((one) => one.broadcastId === broadcast.id)) {
          setNotice(`Your stream has ended: ${reason}.`);
        }
      }),
    [room, identity],
  );

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

  if (room.state === "closed") {
    return html`<${RoomEnded} room=${room} onAgain=${onAgain} onLeave=${onLeave} />`;
  }
  const status = describe(room, chatOnly, problem, notice);
  const closeChat = () => {
    chat.setOpen(false);
    chatToggle.current?.focus();
  };
  return html`<div class="room" data-chat-only=${chatOnly}>
    <${RoomHead} room=${room} act=${act} onLeave=${onLeave} />
    <div class="room-body" data-chat=${chat.open}>
      ${
        !chatOnly &&
        html`<${Stage}
          room=${room}
          name=${name}
          soundBlocked=${soundBlocked}
          onSoundBlocked=${() => setSoundBlocked(true)}
          showNumbers=${showNumbers}
        />`
      }
      <${chatOnly ? "main" : "aside"} class="chat-side" aria-label=${chatOnly ? undefined : "Chat"}>
        <${ChatPanel}
          room=${room}
          identity=${identity}
          view=${chat}
          closable=${!chatOnly}
          onClose=${closeChat}
          act=${act}
        />
      <//>
    </div>
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
        !chatOnly &&
        html`<div class="controls">
          <${Controls}
            room=${room}
            busy=${busy}
            act=${act}
            onLive=${goLive}
            onTest=${() => act(publishTest)}
          />
          <button
            type="button"
            class="numbers-toggle"
            data-testid="numbers-toggle"
            aria-pressed=${showNumbers}
            aria-label="Show each picture's numbers"
            title="Show each picture's numbers"
            onClick=${() => setShowNumbers(!showNumbers)}
          >
            <${Icon} name="numbers" /> <span class="wide-only">Numbers</span>
          </button>
          <button
            type="button"
            ref=${chatToggle}
            class="chat-toggle"
            data-testid="chat-toggle"
            aria-expanded=${chat.open}
            aria-label=${chat.open || chat.unread === 0 ? "Chat" : `Chat, ${chat.unread} unread`}
            onClick=${() => chat.setOpen(!chat.open)}
          >
            <${Icon} name="chat" /> <span class="wide-only">Chat</span>
            ${
              !chat.open &&
              chat.unread > 0 &&
              html`<span class="badge" data-testid="unread">${chat.unread > 99 ? "99+" : chat.unread}</span>`
            }
          </button>
        </div>`
      }
    </div>
    ${props.showFleet && !chatOnly && html`<${FleetPanel} room=${room} />`}
  </div>`;
}
