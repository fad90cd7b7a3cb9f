import type { MediaClass } from "#schema/settings.ts";
import { Overlay } from "./overlay.ts";
import type { Picture } from "./picture.ts";
import type { SlotPicture } from "./picture-rows.ts";

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
 * refusal, not for every request.
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
      const moved = this.#move(from, slot.workerId, Math.min(left, free));
      if (moved.views > 0) moves.push(moved);
      left -= moved.views;
    }
    return moves;
  }

  #freeSeats(slot: SlotPicture): number {
    const worker = this.#picture.workers.get(slot.workerId);
    if (!worker || !this.#picture.isOpen(worker)) return 0;
    return slot.points * this.#picture.seatsOf(worker.mediaClass) - slot.viewers;
  }

  /** As many of `views` as links and budgets carry, taken at once. */
  #move(from: SlotPicture, toWorkerId: string, views: number): Move {
    const broadcast = this.#picture.broadcasts.get(from.broadcastId);
    const worker = this.#picture.workers.get(toWorkerId);
    let moved = 0;
    const { roomId, broadcastId, workerId: fromWorkerId } = from;
    while (broadcast && worker && moved < views) {
      const pipe = this.#picture.pipe(broadcastId, toWorkerId);
      const piped = moved > 0 || (pipe !== undefined && pipe.state !== "closing");
      if (this.#overlay.misfit(roomId, broadcast, worker, piped)) break;
      this.#overlay.take(broadcast, worker, 0, piped);
      moved += 1;
    }
    return { roomId, broadcastId, fromWorkerId, toWorkerId, views: moved };
  }
}
