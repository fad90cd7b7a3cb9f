/** So many addresses are kept shut at once; a flood from more has other remedies. */
const shutMax = 20_000;

/** The edge's limiter, as the platform binds it. */
interface Limiter {
  limit(call: { key: string }): Promise<{ success: boolean }>;
}

/**
 * The edge's own limiter, which counts a location's calls for all its isolates. It
 * is asked beside the call, which does not wait for the answer: whoever is over the
 * limit is shut out from the next call on, until the period that it counts is over.
 */
export class CoarseLimit {
  readonly #periodMs: number;
  /** When each address that is shut out may come again, the soonest first. */
  readonly #shut = new Map<string, number>();

  /** @param periodMs what the limiter counts over */
  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  /** Milliseconds for which an address is still shut out, 0 where it is not. */
  waitMs(address: string, nowMs: number): number {
    const untilMs = this.#shut.get(address);
    if (untilMs === undefined) return 0;
    if (untilMs > nowMs) return untilMs - nowMs;
    this.#shut.delete(address);
    return 0;
  }

  /** Asks the limiter; where that fails, nobody is shut out for it. */
  async count(limiter: Limiter, address: string, nowMs: number): Promise<void> {
    const answer = await limiter.limit({ key: address }).catch(() => undefined);
    if (answer?.success !== false) return;
    if (this.#shut.size >= shutMax) this.#letGo(nowMs);
    if (!this.#shut.has(address)) this.#shut.set(address, nowMs + this.#periodMs);
  }

  /** Lets go of those whose time is over; where there are none, of the first. */
  #letGo(nowMs: number): void {
    for (const [address, untilMs] of this.#shut) {
      if (untilMs > nowMs && this.#shut.size < shutMax) return;
      this.#shut.delete(address);
    }
  }
}
