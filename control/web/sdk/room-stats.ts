import type { Publication } from "./publication.ts";
import type { RoomStats } from "./stats.ts";
import type { View } from "./view.ts";

/** Measures everything that is watched and sent. */
export async function roomStats(
  views: ReadonlyMap<string, View>,
  publications: ReadonlySet<Publication>,
): Promise<RoomStats> {
  const stats: RoomStats = { views: new Map(), publications: new Map() };
  const received = [...views].map(async ([broadcastId, view]) => {
    stats.views.set(broadcastId, await view.stats());
  });
  const sent = [...publications].map(async (publication) => {
    const { broadcastId } = publication;
    if (broadcastId) stats.publications.set(broadcastId, await publication.stats());
  });
  await Promise.all([...received, ...sent]);
  return stats;
}
