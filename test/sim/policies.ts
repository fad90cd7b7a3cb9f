import type { ViewRequest } from "#control/placement/decision.ts";
import type { Picture } from "#control/placement/picture.ts";
import type { WorkerPicture } from "#control/placement/picture-rows.ts";
import { placeViews } from "#control/placement/place.ts";
import { costOf, emptiestFirst, freePointsOf, placeInOrder } from "./baselines.ts";
import type { Policy } from "./world.ts";

export const policyNames = [
  "pinned-node",
  "least-loaded-viewer",
  "first-fit",
  "best-fit",
  "slot-packing",
  "slot-packing-moves",
  "ideal",
] as const;
export type PolicyName = (typeof policyNames)[number];

/**
 * A fresh policy. "slot-packing-moves" frees a point by at most five moves before
 * it refuses a view, which is the defragmenter's on-demand use. "ideal" is slot-packing too: its fleet is one worker as large
 * as all others together, where every broadcast has one slot, which is what a
 * full repack after every event would reach.
 */
export function newPolicy(name: PolicyName): Policy {
  switch (name) {
    case "pinned-node":
      return new PinnedNode();
    case "least-loaded-viewer":
      return new LeastLoadedViewer();
    case "first-fit":
      return new FirstFit();
    case "best-fit":
      return new BestFit();
    case "slot-packing-moves":
      return { name, place: placeViews, moves: true };
    case "slot-packing":
    case "ideal":
      return { name, place: placeViews };
  }
}

/** Each room on one host, the least loaded one when it opened. */
class PinnedNode implements Policy {
  readonly name = "pinned-node";
  readonly #nodeOfRoom = new Map<string, string>();

  place(request: ViewRequest, picture: Picture) {
    const workers = consumersOf(picture);
    let nodeId = this.#nodeOfRoom.get(request.roomId);
    if (nodeId === undefined) {
      nodeId = leastLoadedNode(workers);
      this.#nodeOfRoom.set(request.roomId, nodeId);
    }
    // Screens have hosts of their own, which no room is pinned to.
    const pinned = workers.filter(
      (worker) => worker.nodeId === nodeId || worker.mediaClass === "screen",
    );
    return placeInOrder(request, picture, (broadcastId, carrying, taken) => [
      ...withFreeSeat(request.roomId, broadcastId, picture, pinned),
      ...pinned.filter((worker) => carrying.has(worker.id)),
      ...emptiestFirst(pinned, taken),
    ]);
  }

  forgetRoom(roomId: string) {
    this.#nodeOfRoom.delete(roomId);
  }
}

/** Each viewer on the least loaded worker, and on the next when that is full. */
class LeastLoadedViewer implements Policy {
  readonly name = "least-loaded-viewer";

  place(request: ViewRequest, picture: Picture) {
    const workers = consumersOf(picture);
    return placeInOrder(request, picture, (_, carrying, taken) => [
      ...workers.filter((worker) => carrying.has(worker.id)),
      ...emptiestFirst(workers, taken),
    ]);
  }
}

/** The room's workers in the order in which it came to them, then the first with room. */
class FirstFit implements Policy {
  readonly name = "first-fit";
  readonly #workersOfRoom = new Map<string, Set<WorkerPicture>>();

  place(request: ViewRequest, picture: Picture) {
    const workers = consumersOf(picture);
    const ofRoom = this.#workersOfRoom.get(request.roomId) ?? new Set();
    this.#workersOfRoom.set(request.roomId, ofRoom);
    const answer = placeInOrder(request, picture, () => [...ofRoom, ...workers]);
    for (const { workerId } of answer.placed) {
      const worker = picture.workers.get(workerId);
      if (worker) ofRoom.add(worker);
    }
    return answer;
  }

  forgetRoom(roomId: string) {
    this.#workersOfRoom.delete(roomId);
  }
}

/** Each broadcast by itself: a free seat anywhere, else the fullest worker. */
class BestFit implements Policy {
  readonly name = "best-fit";

  place(request: ViewRequest, picture: Picture) {
    const workers = consumersOf(picture);
    return placeInOrder(request, picture, (broadcastId, _, taken) => [
      ...withFreeSeat(request.roomId, broadcastId, picture, workers),
      ...emptiestFirst(workers, taken)
        .reverse()
        .filter((worker) => freePointsOf(worker, taken) > 0),
    ]);
  }
}

function consumersOf(picture: Picture): WorkerPicture[] {
  return [...picture.workers.values()].filter((worker) => worker.role === "consumer");
}

function withFreeSeat(
  roomId: string,
  broadcastId: string,
  picture: Picture,
  workers: readonly WorkerPicture[],
): WorkerPicture[] {
  return workers.filter((worker) => costOf(roomId, broadcastId, worker, picture) === 0);
}

function leastLoadedNode(workers: readonly WorkerPicture[]): string {
  const used = new Map<string, number>();
  for (const worker of workers) {
    if (worker.mediaClass === "screen") continue;
    used.set(worker.nodeId, (used.get(worker.nodeId) ?? 0) + worker.pointsUsed);
  }
  const [least] = [...used].sort((a, b) => a[1] - b[1]);
  if (!least) throw new Error("The fleet has no camera workers.");
  return least[0];
}
