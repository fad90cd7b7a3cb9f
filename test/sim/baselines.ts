import type {
  PlacedView,
  ViewPlacement,
  ViewRequest,
} from "#control/placement/decision.ts";
import type { Picture } from "#control/placement/picture.ts";
import type { WorkerPicture } from "#control/placement/picture-rows.ts";

/*
 * What other systems do, on the same books: every one of these fills a slot's
 * free seats before it pays for a point, and none overshoots.
 */

/** Points taken within one request, which the picture does not show yet. */
type Taken = Map<string, number>;

/** The order in which a policy wants to try workers for one broadcast. */
export type Preference = (
  broadcastId: string,
  carrying: ReadonlySet<string>,
  taken: Taken,
) => Iterable<WorkerPicture>;

/** Places each broadcast on the first worker of the policy's order that has room. */
export function placeInOrder(
  request: ViewRequest,
  picture: Picture,
  prefer: Preference,
): ViewPlacement {
  const answer: ViewPlacement = { placed: [], refused: [] };
  const carrying = new Set(request.sessionWorkers);
  const taken: Taken = new Map();
  for (const broadcastId of request.broadcastIds) {
    const media = picture.broadcasts.get(broadcastId)?.mediaClass;
    let placed: PlacedView | undefined;
    for (const worker of prefer(broadcastId, carrying, taken)) {
      if (worker.mediaClass !== media || worker.role !== "consumer") continue;
      const points = costOf(request.roomId, broadcastId, worker, picture);
      if (points > freePointsOf(worker, taken)) continue;
      taken.set(worker.id, (taken.get(worker.id) ?? 0) + points);
      carrying.add(worker.id);
      placed = {
        broadcastId,
        workerId: worker.id,
        points,
        opensPipe: picture.pipe(broadcastId, worker.id) === undefined,
        rule: "baseline",
        considered: 0,
        passedOver: {},
      };
      break;
    }
    if (placed) answer.placed.push(placed);
    else {
      const code = "no-consumer-capacity";
      answer.refused.push({ broadcastId, code, considered: 0, passedOver: {} });
    }
  }
  return answer;
}

/** What one more view costs on a worker: nothing in a free seat, else a point. */
export function costOf(
  roomId: string,
  broadcastId: string,
  worker: WorkerPicture,
  picture: Picture,
): number {
  const slot = picture.slot(roomId, broadcastId, worker.id);
  const seats = picture.seatsOf(worker.mediaClass);
  return slot && slot.points * seats > slot.viewers ? 0 : 1;
}

export function freePointsOf(worker: WorkerPicture, taken: Taken): number {
  return worker.pointsTotal - worker.pointsUsed - (taken.get(worker.id) ?? 0);
}

/** Consumer workers, the one with most free points first. */
export function emptiestFirst(
  workers: readonly WorkerPicture[],
  taken: Taken,
): WorkerPicture[] {
  return [...workers].sort(
    (a, b) => freePointsOf(b, taken) - freePointsOf(a, taken) || (a.id < b.id ? -1 : 1),
  );
}
