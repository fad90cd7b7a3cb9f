/**
 * How long a node has been silent, counting only time in which it could have been
 * heard: from one look to the next, where control was whole at the look. Time in
 * which the object slept, was evicted or could not reach its database is nobody's
 * silence.
 */
export class Lease {
  readonly #stepMs: number;
  #lookedAtMs: number;
  #silentMs = 0;

  /**
   * @param nowMs milliseconds since 1970: whoever wakes begins with a full lease
   * @param stepMs how often somebody looks
   */
  constructor(nowMs: number, stepMs: number) {
    this.#lookedAtMs = nowMs;
    this.#stepMs = stepMs;
  }

  /** Milliseconds of silence at the last look. */
  get silentMs(): number {
    return this.#silentMs;
  }

  /** Whether the node was heard within the last step: then there is nothing to count. */
  isFresh(nowMs: number): boolean {
    return this.#silentMs === 0 && nowMs - this.#lookedAtMs < this.#stepMs;
  }

  /** The node was heard. */
  heard(nowMs: number): void {
    this.#lookedAtMs = nowMs;
    this.#silentMs = 0;
  }

  /**
   * Counts the time since the last look, or since the node was heard.
   * @param couldHear whether what the node says would have had an effect
   */
  look(nowMs: number, couldHear: boolean): void {
    const passedMs = nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    // A look that comes late was kept from looking, and from hearing too.
    if (couldHear) this.#silentMs += Math.min(passedMs, 2 * this.#stepMs);
  }
}
