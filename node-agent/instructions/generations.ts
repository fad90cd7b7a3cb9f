import type { WorkerRef } from "#schema/agent/instructions.ts";
import { BoundedMap } from "./bounded-map.ts";

interface PipeMark {
  /** The highest generation named by any instruction. */
  highest: number;
  /** Every generation up to this one is over. */
  closedThrough: number;
}

/** The wanted state of a track, as the newest instruction about it says. */
export type TrackWanted = "playing" | "paused" | "closed";

/** A pipe's key: one row per broadcast and consumer worker. */
export function pipeKeyOf(broadcastId: string, consumer: WorkerRef): string {
  return `${broadcastId}>${consumer.workerId}`;
}

/**
 * What the agent has been told for good: closed things, and the highest
 * generation or version of each key. It outlives the things themselves, so
 * that a late, doubled or reordered message finds a grave and not a gap.
 */
export class Generations {
  readonly #pipes: BoundedMap<PipeMark>;
  readonly #tracks: BoundedMap<{ version: number; wanted: TrackWanted }>;
  readonly #closed: BoundedMap<true>;

  /** @param capacity keys remembered of each kind */
  constructor(capacity = 50_000) {
    this.#pipes = new BoundedMap(capacity);
    this.#tracks = new BoundedMap(capacity);
    this.#closed = new BoundedMap(capacity);
  }

  /** Notes that a generation of a pipe may exist. */
  openPipe(key: string, generation: number): void {
    const mark = this.#pipes.get(key) ?? { highest: 0, closedThrough: 0 };
    this.#pipes.set(key, { ...mark, highest: Math.max(mark.highest, generation) });
  }

  /** Notes that a generation of a pipe, and all before it, are over. */
  closePipe(key: string, generation: number): void {
    const mark = this.#pipes.get(key) ?? { highest: 0, closedThrough: 0 };
    this.#pipes.set(key, {
      highest: Math.max(mark.highest, generation),
      closedThrough: Math.max(mark.closedThrough, generation),
    });
  }

  /** Whether a generation of a pipe is over. */
  isPipeClosed(key: string, generation: number): boolean {
    return generation <= (this.#pipes.get(key)?.closedThrough ?? 0);
  }

  /** Whether a higher generation was named: nothing new opens at this one. */
  isPipeOutdated(key: string, generation: number): boolean {
    return generation < (this.#pipes.get(key)?.highest ?? 0);
  }

  /**
   * Takes a track's wanted state.
   * @returns false where a version as high or higher was taken before
   */
  setTrack(trackId: string, version: number, wanted: TrackWanted): boolean {
    const known = this.#tracks.get(trackId);
    if (known && known.version >= version) return false;
    this.#tracks.set(trackId, { version, wanted });
    return true;
  }

  /** What the newest instruction wants of a track; undefined where none came. */
  trackWanted(trackId: string): TrackWanted | undefined {
    return this.#tracks.get(trackId)?.wanted;
  }

  /** Notes that a session, broadcast, view or transport is gone; ids are never reused. */
  close(id: string): void {
    this.#closed.set(id, true);
  }

  /** Whether a session, broadcast, view or transport is gone. */
  isClosed(id: string): boolean {
    return this.#closed.has(id);
  }
}
