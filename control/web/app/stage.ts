import { html } from "htm/preact";
import { useState } from "preact/hooks";
import type { BroadcastInfo } from "#schema/events.ts";
import type { Publication, Room } from "../sdk/index.ts";
import { SelfTile } from "./self-tile.ts";
import { RemoteTile } from "./tile.ts";
import { useStats } from "./use-stats.ts";

interface Props {
  room: Room;
  name: string;
  soundBlocked: boolean;
  onSoundBlocked(): void;
  /** Whether each picture's numbers are shown over it. */
  showNumbers: boolean;
}

/**
 * Everyone's pictures, one's own first. A screen, or whatever the person makes
 * large, takes most of the place, with the others in a strip beside it.
 */
export function Stage({ room, name, soundBlocked, onSoundBlocked, showNumbers }: Props) {
  const stats = useStats(room, showNumbers);
  const [chosen, setChosen] = useState<string>();
  /** Screens that the person made small again; one that comes later is large. */
  const [dismissed, setDismissed] = useState<readonly string[]>([]);
  const own = [...room.publications];
  const others = [...room.broadcasts.values()].filter(
    ({ id, sessionId }) =>
      sessionId !== room.sessionId && !own.some(({ broadcastId }) => broadcastId === id),
  );
  const count = others.length + own.length;
  const large = largeOne(others, chosen, dismissed);
  const enlarge = (id: string, on: boolean) => {
    // Who is large is seen whoever speaks.
    if (chosen) room.views.get(chosen)?.set({ pinned: false });
    room.views.get(id)?.set({ pinned: on });
    setChosen(on ? id : undefined);
    setDismissed(on ? dismissed.filter((one) => one !== id) : [...dismissed, id]);
  };
  return html`<main class="stage" data-layout=${large ? "focus" : "grid"} data-alone=${count === 1}>
    <h2 class="unseen">Pictures</h2>
    ${
      count === 0
        ? html`<p class="empty">Nobody is live yet. Go live, or share the room's link.</p>`
        : html`<ul
            class="tiles"
            data-columns=${columnsFor(count)}
            tabindex=${large && count > 1 ? 0 : undefined}
            aria-label="Pictures"
          >
            ${own.map(
              (publication: Publication) =>
                html`<${SelfTile}
                  key=${publication.media}
                  publication=${publication}
                  name=${name}
                  stats=${stats?.publications.get(publication.broadcastId ?? "")}
                />`,
            )}
            ${others.map(
              (broadcast) =>
                html`<${RemoteTile}
                  key=${broadcast.id}
                  broadcast=${broadcast}
                  view=${room.views.get(broadcast.id)}
                  speaks=${room.speaking === broadcast.id}
                  muted=${soundBlocked}
                  isLarge=${broadcast.id === large}
                  stats=${stats?.views.get(broadcast.id)}
                  onLarge=${(on: boolean) => enlarge(broadcast.id, on)}
                  onSoundBlocked=${onSoundBlocked}
                />`,
            )}
          </ul>`
    }
  </main>`;
}

/** What was chosen, else the newest screen. */
function largeOne(
  others: BroadcastInfo[],
  chosen: string | undefined,
  dismissed: readonly string[],
): string | undefined {
  if (others.some(({ id }) => id === chosen)) return chosen;
  return others.findLast(({ id, media }) => media === "screen" && !dismissed.includes(id))
    ?.id;
}

/** As many columns as keep the tiles large. */
function columnsFor(count: number): number {
  return Math.min(7, Math.ceil(Math.sqrt(count)));
}
