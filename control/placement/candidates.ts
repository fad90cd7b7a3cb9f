import type { MediaClass } from "#schema/settings.ts";
import { isUsable } from "./overlay.ts";
import type { BroadcastPicture, WorkerPicture } from "./picture-rows.ts";
import type { Search } from "./search.ts";
import { spreadOf } from "./spread.ts";

/** A consumer worker that something speaks for, beyond being empty. */
export interface Candidate {
  worker: WorkerPicture;
  /** Wanted broadcasts that have a usable pipe to it. */
  piped: Set<string>;
  inRoom: boolean;
  /** Slots that the room may still start here and leave each its share to grow. */
  quota: number;
}

/**
 * The open workers of a class that have anything to do with the request and a
 * point for it: with a pipe, of the room, carrying the viewer, or on the host of
 * a producer worker. Their number goes with the room and never with the fleet.
 */
export class Candidates {
  readonly byId = new Map<string, Candidate>();
  readonly quotaPerWorker: number;
  readonly #search: Search;
  readonly #media: MediaClass;

  constructor(search: Search, media: MediaClass, wanted: readonly BroadcastPicture[]) {
    this.#search = search;
    this.#media = media;
    this.quotaPerWorker = quotaOf(search, media, wanted.length);
    const { picture, request } = search;
    for (const broadcast of wanted) {
      for (const pipe of picture.pipesOf(broadcast.id)) {
        if (!isUsable(pipe)) continue;
        this.add(pipe.consumerWorkerId)?.piped.add(broadcast.id);
      }
    }
    for (const id of search.ownWorkers) this.add(id);
    for (const id of picture.roomPoints(request.roomId).keys()) this.add(id);
    for (const id of picture.reservedPoints(request.roomId).keys()) this.add(id);
  }

  /** Adds a worker, if it can take anything; adding twice returns the same. */
  add(workerId: string): Candidate | undefined {
    const known = this.byId.get(workerId);
    if (known) return known;
    const { picture, request } = this.#search;
    const worker = picture.workers.get(workerId);
    if (worker?.role !== "consumer" || worker.mediaClass !== this.#media) {
      return undefined;
    }
    if (!this.#search.isOpen(worker) || this.#search.freePoints(worker) < 1)
      return undefined;
    let slots = 0;
    const inRoom = picture.roomPoints(request.roomId).has(workerId);
    if (inRoom) {
      for (const slot of picture.slotsOn(workerId)) {
        if (slot.roomId === request.roomId) slots += 1;
      }
    }
    const quota = Math.max(0, this.quotaPerWorker - slots);
    const candidate: Candidate = { worker, piped: new Set(), inRoom, quota };
    this.byId.set(workerId, candidate);
    return candidate;
  }

  /** Adds the workers of the hosts that produce what is wanted: no NIC between. */
  addProducerHosts(wanted: readonly BroadcastPicture[]): void {
    const { picture } = this.#search;
    const nodeIds = new Set<string>();
    for (const broadcast of wanted) {
      const producer = picture.workers.get(broadcast.producerWorkerId);
      if (producer) nodeIds.add(producer.nodeId);
    }
    for (const nodeId of nodeIds) {
      for (const id of picture.workersOnNode(nodeId)) this.add(id);
    }
  }
}

/** Screens never share out a room: each is one broadcast that wants one worker. */
function quotaOf(search: Search, media: MediaClass, wanted: number): number {
  const { settings } = search.picture;
  const size = search.request.roomSize;
  if (!size || media === "screen") return Math.ceil(settings.weight.pointsPerWorker / 2);
  const broadcasts = Math.max(size.broadcasts, wanted);
  return spreadOf({ broadcasts, viewers: size.viewers }, settings).broadcastsPerWorker;
}
