import type { Picture } from "./picture.ts";
import { pointsOf } from "./weight.ts";

/** What a room's views cost, and the least that they could. */
export interface Waste {
  points: number;
  /** The sum over broadcasts of ceil(viewers / seats): all slots of each in one. */
  bound: number;
  /** `points - bound`: what leaving viewers left behind in half-empty slots. */
  wasted: number;
}

/** A room's points against their lower bound. */
export function roomWaste(picture: Picture, roomId: string): Waste {
  const viewers = new Map<string, number>();
  let points = 0;
  for (const workerId of picture.roomPoints(roomId).keys()) {
    for (const slot of picture.slotsOn(workerId)) {
      if (slot.roomId !== roomId) continue;
      points += slot.points;
      viewers.set(slot.broadcastId, (viewers.get(slot.broadcastId) ?? 0) + slot.viewers);
    }
  }
  let bound = 0;
  for (const [broadcastId, count] of viewers) {
    const media = picture.broadcasts.get(broadcastId)?.mediaClass ?? "camera";
    bound += pointsOf(count, picture.seatsOf(media));
  }
  return { points, bound, wasted: points - bound };
}
