import { html } from "htm/preact";
import type { Room } from "../sdk/index.ts";
import { Brand } from "./brand.ts";
import { nextStep, problemText } from "./problem-text.ts";

interface Props {
  room: Room;
  onAgain(): void;
  onLeave(): void;
}

/** What one reads whose time in a room ended: why, and what to do. */
export function RoomEnded({ room, onAgain, onLeave }: Props) {
  const code = room.error?.code ?? "room-closed";
  const { text, mayEnter } = nextStep(code);
  return html`<main class="door">
    <header class="door-head"><h1><${Brand} /></h1></header>
    <section class="card">
      <div role="alert" data-testid="status" data-state="closed" data-code=${code}>
        <h2>${problemText(code)}</h2>
        <p class="quiet">${text}</p>
      </div>
      ${
        mayEnter &&
        html`<button class="primary wide" data-testid="enter-again" onClick=${onAgain}>
          Enter again
        </button>`
      }
      <button class=${mayEnter ? "wide" : "primary wide"} onClick=${onLeave}>
        Open another room
      </button>
    </section>
  </main>`;
}
