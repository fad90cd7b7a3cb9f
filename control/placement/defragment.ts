import type { MediaClass } from "#schema/settings.ts";
import { Overlay } from "./overlay.ts";
import type { Picture } from "./picture.ts";
import type { SlotPicture, WorkerPicture } from "./picture-rows.ts";

/** Some views of one slot that go to another worker, make before break. */
export interface Move {
  roomId: string;
  broadcastId: string;
  fromWorkerId: string;
  toWorkerId: string;
  views: number;
}

/** A point that a few moves give back. */
export interface FreedPoint {
  workerId: string;
  moves: Move[];
  views: number;
}

/** More moves than this for one point disturb more viewers than the point serves. */
const movesPerPointMax = 5;

/**
 * Finds the point of a class that the fewest moves give back: the least filled
 * last point of a slot whose viewers fit into free seats of the same broadcast
 * on other workers. It reads every slot, so it is for the moment before a
 * refusal or a scale-down, not for every request.
 * @param movesMax views that may move, 5 unless given
 * @returns undefined where no point can be freed with so few
 */
export function planFreedPoint(
  picture: Picture,
  media: MediaClass,
  movesMax: number = movesPerPointMax,
): FreedPoint | undefined {
  const seats = picture.seatsOf(media);
  let best: FreedPoint | undefined;
  for (const slot of picture.slots()) {
    const worker = picture.workers.get(slot.workerId);
    if (worker?.mediaClass !== media || !picture.isOpen(worker)) continue;
    const views = slot.viewers - seats * (slot.points - 1);
    if (views > movesMax || (best && views >= best.views)) continue;
    // A reserved point that nobody uses is still the room's: nothing is freed.
    const inUse = picture.roomPoints(slot.roomId).get(worker.id) ?? 0;
    const reserved = picture.reservedPoints(slot.roomId).get(worker.id) ?? 0;
    if (reserved >= inUse) continue;
    const planner = new MovePlanner(picture);
    const moves = planner.intoFreeSeats(slot, views);
    if (moves.reduce((sum, move) => sum + move.views, 0) < views) continue;
    best = { workerId: worker.id, moves, views };
  }
  return best;
}

/** Where everything on a worker would go, and what nothing else can take. */
export interface EmptyingPlan {
  moves: Move[];
  /** Views that have to stay: the fleet is too full without this worker. */
  unplaced: number;
}

/**
 * Plans the emptying of a worker for a drain: into free seats of the same
 * broadcasts first, then into new points, where pipes are before elsewhere.
 */
export function planEmptying(picture: Picture, workerId: string): EmptyingPlan {
  const planner = new MovePlanner(picture);
  const moves: Move[] = [];
  let unplaced = 0;
  for (const slot of picture.slotsOn(workerId)) {
    const seated = planner.intoFreeSeats(slot, slot.viewers);
    const rest = slot.viewers - seated.reduce((sum, move) => sum + move.views, 0);
    const opened = planner.intoNewPoints(slot, rest);
    moves.push(...seated, ...opened);
    unplaced += rest - opened.reduce((sum, move) => sum + move.views, 0);
  }
  return { moves, unplaced };
}

/** Plans moves one after the other; what one takes, the next no longer has. */
class MovePlanner {
  readonly #picture: Picture;
  readonly #overlay: Overlay;

  constructor(picture: Picture) {
    this.#picture = picture;
    this.#overlay = new Overlay(picture);
  }

  /** Moves up to `views` views into paid seats, the fullest slots first. */
  intoFreeSeats(from: SlotPicture, views: number): Move[] {
    const others = this.#picture
      .slotsOf(from.broadcastId)
      .filter((slot) => slot.roomId === from.roomId && slot !== from)
      .map((slot) => ({ slot, free: this.#freeSeats(slot) }))
      .filter(({ free }) => free > 0)
      .sort((a, b) => a.free - b.free || (a.slot.workerId < b.slot.workerId ? -1 : 1));
    const moves: Move[] = [];
    let left = views;
    for (const { slot, free } of others) {
      const moved = this.#move(from, slot.workerId, Math.min(left, free), 0);
      if (moved.views > 0) moves.push(moved);
      left -= moved.views;
    }
    return moves;
  }

  /** Moves up to `views` views into points that nobody has paid for yet. */
  intoNewPoints(from: SlotPicture, views: number): Move[] {
    const moves: Move[] = [];
    let left = views;
    for (const worker of this.#targets(from)) {
      const seats = this.#picture.seatsOf(worker.mediaClass);
      while (left > 0 && this.#overlay.freePoints(from.roomId, worker) > 0) {
        const moved = this.#move(from, worker.id, Math.min(left, seats), 1);
        if (moved.views === 0) break;
        moves.push(moved);
        left -= moved.views;
      }
      if (left === 0) break;
    }
    return moves;
  }

  *#targets(from: SlotPicture): Iterable<WorkerPicture> {
    const seen = new Set([from.workerId]);
    const media = this.#picture.workers.get(from.workerId)?.mediaClass ?? "camera";
    const known = [
      ...this.#picture.pipesOf(from.broadcastId).map((pipe) => pipe.consumerWorkerId),
      ...this.#picture.roomPoints(from.roomId).keys(),
      ...this.#picture.reservedPoints(from.roomId).keys(),
    ];
    for (const id of known) {
      const worker = this.#picture.workers.get(id);
      if (!worker || seen.has(id) || worker.mediaClass !== media) continue;
      seen.add(id);
      if (this.#picture.isOpen(worker)) yield worker;
    }
    for (const free of this.#picture.freeLevels(media)) {
      for (const id of this.#picture.workersWithFree(media, free)) {
        const worker = this.#picture.workers.get(id);
        if (worker && !seen.has(id)) yield worker;
      }
    }
  }

  #freeSeats(slot: SlotPicture): number {
    const worker = this.#picture.workers.get(slot.workerId);
    if (!worker || !this.#picture.isOpen(worker)) return 0;
    return slot.points * this.#picture.seatsOf(worker.mediaClass) - slot.viewers;
  }

  /** As many of `views` as links and budgets carry, taken at once. */
  #move(from: SlotPicture, toWorkerId: string, views: number, points: number): Move {
    const broadcast = this.#picture.broadcasts.get(from.broadcastId);
    const worker = this.#picture.workers.get(toWorkerId);
    let moved = 0;
    const { roomId, broadcastId, workerId: fromWorkerId } = from;
    while (broadcast && worker && moved < views) {
      const pipe = this.#picture.pipe(broadcastId, toWorkerId);
      const piped = moved > 0 || (pipe !== undefined && pipe.state !== "closing");
      if (this.#overlay.misfit(roomId, broadcast, worker, piped)) break;
      this.#overlay.take(broadcast, worker, moved === 0 ? points : 0, piped);
      moved += 1;
    }
    return { roomId, broadcastId, fromWorkerId, toWorkerId, views: moved };
  }
}
