import type { BroadcastInfo } from "#schema/events.ts";

/** What the choice of pictures depends on. */
export interface PictureChoice {
  /** What is watched, in the order in which it began. */
  broadcasts: readonly BroadcastInfo[];
  /** Whether the person wants to see it whoever speaks. */
  pinned(broadcastId: string): boolean;
  /** Whether its place on the page is in sight; those that are elsewhere count as so. */
  inSight(broadcastId: string): boolean;
  /** Who spoke, the last one first. */
  speakers: readonly string[];
  /** Cameras whose pictures are shown at once. */
  picturesMax: number;
}

/**
 * Whose pictures are shown where there are more cameras than can be: what is
 * pinned, then what is in sight, and of that who spoke last, then who was there
 * first. Screens are always shown.
 */
export function pickPictures(choice: PictureChoice): Set<string> {
  const { broadcasts, pinned, inSight, speakers, picturesMax } = choice;
  const cameras = broadcasts.filter(({ media }) => media === "camera");
  const picked = new Set<string>();
  for (const { id, media } of broadcasts) if (media === "screen") picked.add(id);
  const rank = (id: string) => {
    if (pinned(id)) return -1;
    const spoke = speakers.indexOf(id);
    const recency = spoke < 0 ? speakers.length : spoke;
    // Scrolling shows who is there, though they have not spoken for long.
    return inSight(id) ? recency : speakers.length + 1 + recency;
  };
  // Sorting keeps the order of those who rank alike.
  const ranked = cameras.map(({ id }) => ({ id, rank: rank(id) }));
  ranked.sort((a, b) => a.rank - b.rank);
  for (const { id } of ranked.slice(0, picturesMax)) picked.add(id);
  return picked;
}
