import type { MediaClass } from "#schema/settings.ts";
import type { Picture } from "./picture.ts";
import type { WorkerPicture } from "./picture-rows.ts";
import { nominalKbps, pointsOf } from "./weight.ts";

export interface ReservationRequest {
  roomId: string;
  /** The tier to reserve for; 0 and every tier without broadcasts needs nothing. */
  tier: number;
}

/** What one consumer worker keeps for the room, and what it kept before. */
interface ReservedPoints {
  workerId: string;
  points: number;
  before: number;
}

export interface ReservationPlan {
  /** Every worker that keeps, gains or loses (`points` 0) points of the room. */
  workers: ReservedPoints[];
  /** The room's own producer workers: those it has and those to be dedicated. */
  producers: { workerId: string; dedicates: boolean }[];
  /** Producer workers that the room no longer needs, once nothing is on them. */
  surplusProducers: string[];
}

export interface ReservationRefusal {
  code: "reservation-refused";
  /** How much more it would take; 0 where there is enough. */
  missing: { cameraPoints: number; screenPoints: number; producerWorkers: number };
}

/** The whole points that a tier's rooms may come to hold, by media class. */
function tierPoints(picture: Picture, tier: number): Record<MediaClass, number> {
  const size = picture.settings.tiers[tier];
  if (!size || size.broadcasts === 0) return { camera: 0, screen: 0 };
  return {
    camera: size.broadcasts * pointsOf(size.viewers, picture.seatsOf("camera")),
    screen: pointsOf(size.viewers - 1, picture.seatsOf("screen")),
  };
}

/**
 * Plans the whole weight of a tier for a room, or says what is missing. A room
 * that already has a reservation moves it: open workers keep what the room has
 * there, most in use first, and only the difference is taken or given back, so
 * that one commit can do it and no worker is lost to somebody else in between.
 */
export function planReservation(
  request: ReservationRequest,
  picture: Picture,
): ReservationPlan | ReservationRefusal {
  const wanted = tierPoints(picture, request.tier);
  const camera = planClass(request.roomId, "camera", wanted.camera, picture);
  const screen = planClass(request.roomId, "screen", wanted.screen, picture);
  const producers = planProducers(request, picture);
  const missing = {
    cameraPoints: camera.missing,
    screenPoints: screen.missing,
    producerWorkers: producers.missing,
  };
  if (Object.values(missing).some((count) => count > 0)) {
    return { code: "reservation-refused", missing };
  }
  return {
    workers: [...camera.workers, ...screen.workers],
    producers: producers.producers,
    surplusProducers: producers.surplus,
  };
}

function planClass(
  roomId: string,
  media: MediaClass,
  wanted: number,
  picture: Picture,
): { workers: ReservedPoints[]; missing: number } {
  const budget = new EgressBudget(picture, roomId, media);
  const kept = new Map<string, ReservedPoints>();
  let left = wanted;
  /** Raises what the room keeps on a worker to at most `most` points. */
  const raise = (worker: WorkerPicture, most: number) => {
    const before = picture.reservedPoints(roomId).get(worker.id) ?? 0;
    const inUse = picture.roomPoints(roomId).get(worker.id) ?? 0;
    const has = kept.get(worker.id)?.points ?? 0;
    const points = Math.min(
      most,
      has + left,
      budget.pointsFor(worker, Math.max(has, inUse)),
    );
    if (points <= has) return;
    budget.take(worker, points - Math.max(has, inUse));
    left -= points - has;
    kept.set(worker.id, { workerId: worker.id, points, before });
  };
  const own = workersOfRoom(roomId, media, picture);
  // What is in use comes first: a smaller tier must not drop a worker with views.
  for (const worker of own) raise(worker, picture.roomPoints(roomId).get(worker.id) ?? 0);
  for (const worker of own) {
    const inUse = picture.roomPoints(roomId).get(worker.id) ?? 0;
    raise(worker, inUse + picture.freePointsFor(roomId, worker));
  }
  for (const free of picture.freeLevels(media)) {
    if (left < 1 || free < 1) break;
    for (const id of picture.workersWithFree(media, free)) {
      if (left < 1) break;
      const worker = picture.workers.get(id);
      if (worker && !kept.has(id)) raise(worker, free);
    }
  }
  const workers = [...kept.values()];
  for (const [workerId, before] of picture.reservedPoints(roomId)) {
    if (picture.workers.get(workerId)?.mediaClass !== media || kept.has(workerId))
      continue;
    workers.push({ workerId, points: 0, before });
  }
  return { workers, missing: left };
}

/** Open consumer workers that the room has points on, most in use first. */
function workersOfRoom(roomId: string, media: MediaClass, picture: Picture) {
  const inUse = picture.roomPoints(roomId);
  const reserved = picture.reservedPoints(roomId);
  return [...new Set([...inUse.keys(), ...reserved.keys()])]
    .map((id) => picture.workers.get(id))
    .filter((worker) => worker !== undefined)
    .filter((worker) => worker.mediaClass === media && picture.isOpen(worker))
    .sort(
      (a, b) =>
        (inUse.get(b.id) ?? 0) - (inUse.get(a.id) ?? 0) ||
        (reserved.get(b.id) ?? 0) - (reserved.get(a.id) ?? 0) ||
        (a.id < b.id ? -1 : 1),
    );
}

/** A point is worth reserving only where its host could send its views. */
class EgressBudget {
  readonly #picture: Picture;
  readonly #roomId: string;
  readonly #kbpsPerPoint: number;
  readonly #taken = new Map<string, number>();

  constructor(picture: Picture, roomId: string, media: MediaClass) {
    this.#picture = picture;
    this.#roomId = roomId;
    this.#kbpsPerPoint =
      picture.seatsOf(media) * nominalKbps(picture.settings, media).view;
  }

  /** Points of which a worker's host can send every seat, `has` of them already counted. */
  pointsFor(worker: WorkerPicture, has: number): number {
    const taken = this.#taken.get(worker.nodeId) ?? 0;
    const left = this.#picture.egressLeftFor(this.#roomId, worker.nodeId) - taken;
    return has + Math.max(0, Math.floor(left / this.#kbpsPerPoint));
  }

  take(worker: WorkerPicture, points: number): void {
    const kbps = Math.max(0, points) * this.#kbpsPerPoint;
    this.#taken.set(worker.nodeId, (this.#taken.get(worker.nodeId) ?? 0) + kbps);
  }
}

function planProducers({ roomId, tier }: ReservationRequest, picture: Picture) {
  const size = picture.settings.tiers[tier];
  const { secondProducerWorkerFrom } = picture.settings.weight;
  let wanted = 0;
  if (size && size.broadcasts > 0 && size.producer === "dedicated") {
    wanted = size.broadcasts >= secondProducerWorkerFrom ? 2 : 1;
  }
  const own = [...picture.producersOf(roomId)]
    .map((id) => picture.workers.get(id))
    .filter((worker) => worker !== undefined)
    .filter((worker) => picture.isOpen(worker))
    .sort((a, b) => b.broadcastsUsed - a.broadcastsUsed || (a.id < b.id ? -1 : 1));
  const producers = own
    .slice(0, wanted)
    .map((worker) => ({ workerId: worker.id, dedicates: false }));
  const surplus = own.slice(wanted).map((worker) => worker.id);
  for (const free of picture.producerLevels("camera")) {
    if (producers.length >= wanted) break;
    for (const id of picture.producersWithFree("camera", free)) {
      if (producers.length >= wanted) break;
      if (picture.workers.get(id)?.broadcastsUsed !== 0) continue;
      producers.push({ workerId: id, dedicates: true });
    }
  }
  return { producers, surplus, missing: wanted - producers.length };
}

export function isReservationRefused(
  plan: ReservationPlan | ReservationRefusal,
): plan is ReservationRefusal {
  return "code" in plan;
}
