import { html } from "htm/preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Room } from "../sdk/index.ts";
import { Icon } from "./icons.ts";
import { Moderate } from "./moderate.ts";

interface Props {
  room: Room;
  act(action: () => Promise<unknown>): Promise<void>;
}

/** How many are in the room and, opened, who, and what a moderator may do. */
export function People({ room, act }: Props) {
  const [open, setOpen] = useState(false);
  const wrapper = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const elsewhere = (event: PointerEvent) => {
      if (!wrapper.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", elsewhere);
    return () => document.removeEventListener("pointerdown", elsewhere);
  }, [open]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open) return;
    setOpen(false);
    button.current?.focus();
  };

  const people = [...room.sessions].map(([sessionId, identity]) => ({
    sessionId,
    identity,
    ...standing(room, sessionId),
  }));
  // Those who are live first; a name's place changes with nothing else.
  people.sort(
    (a, b) => Number(b.live) - Number(a.live) || a.identity.localeCompare(b.identity),
  );
  const { banned, muted, allowed } = room.moderation;
  const own = room.sessions.get(room.sessionId ?? "");
  const count = people.length;
  return html`<div class="people" ref=${wrapper} onKeyDown=${onKeyDown}>
    <button
      type="button"
      ref=${button}
      data-testid="people-toggle"
      aria-expanded=${open}
      aria-controls="people-list"
      aria-label=${count === 1 ? "1 person in the room" : `${count} people in the room`}
      onClick=${() => setOpen(!open)}
    >
      <${Icon} name="people" /> ${count}
    </button>
    <div class="people-list" id="people-list" data-testid="people-list" hidden=${!open}>
      <h2>In the room</h2>
      <ul>
        ${people.map(
          ({ sessionId, identity, live, silent }) =>
            html`<li key=${sessionId} data-testid="person" data-identity=${identity} data-live=${live}>
              <div class="person">
                <span class="person-name">
                  ${identity}${sessionId === room.sessionId ? " (you)" : ""}
                </span>
                ${silent && html`<${Icon} name="mic-off" /><span class="unseen">microphone off</span>`}
                ${live && html`<span class="tag">live</span>`}
                ${muted.has(identity) && html`<span class="tag bad">muted</span>`}
                ${
                  allowed &&
                  identity !== own &&
                  html`<${Moderate} room=${room} identity=${identity} act=${act} />`
                }
              </div>
            </li>`,
        )}
      </ul>
      ${
        allowed &&
        banned.size > 0 &&
        html`<h2>Banned</h2>
          <ul>
            ${[...banned].map(
              (identity) =>
                html`<li key=${identity} class="person">
                  <span class="person-name">${identity}</span>
                  <button
                    type="button"
                    class="plain"
                    onClick=${() => act(() => room.moderation.moderate("unban", identity))}
                  >
                    Lift the ban<span class="unseen"> of ${identity}</span>
                  </button>
                </li>`,
            )}
          </ul>`
      }
    </div>
  </div>`;
}

/** Whether a session is live, and whether its microphone is off. */
function standing(room: Room, sessionId: string): { live: boolean; silent: boolean } {
  const own = [...room.broadcasts.values()].filter((one) => one.sessionId === sessionId);
  const silent = own.some(({ tracks }) =>
    tracks.some(({ source, paused }) => source === "microphone" && paused),
  );
  return { live: own.length > 0, silent };
}
