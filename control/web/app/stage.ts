import { html } from "htm/preact";
import type { Publication, Room } from "../sdk/index.ts";
import { RemoteTile, SelfTile } from "./tile.ts";

interface Props {
  room: Room;
  name: string;
  soundBlocked: boolean;
  onSoundBlocked(): void;
}

/** Everyone's pictures, one's own first. */
export function Stage({ room, name, soundBlocked, onSoundBlocked }: Props) {
  const own = [...room.publications];
  const others = [...room.broadcasts.values()].filter(
    ({ id, sessionId }) =>
      sessionId !== room.sessionId && !own.some(({ broadcastId }) => broadcastId === id),
  );
  const count = others.length + own.length;
  return html`<main class="stage">
    <h2 class="unseen">Pictures</h2>
    ${
      count === 0
        ? html`<p class="empty">Nobody is live yet. Go live, or share the room's link.</p>`
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
                  speaks=${room.speaking === broadcast.id}
                  muted=${soundBlocked}
                  onSoundBlocked=${onSoundBlocked}
                />`,
            )}
          </ul>`
    }
  </main>`;
}

/** As many columns as keep the tiles large. */
function columnsFor(count: number): number {
  return Math.min(7, Math.ceil(Math.sqrt(count)));
}
