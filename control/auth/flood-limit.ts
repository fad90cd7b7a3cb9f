/** So many senders are remembered before those at rest are let go of. */
const sendersMax = 20_000;

/**
 * Lets each sender have `burst` messages at once and then so many per second.
 * It lets go of senders whose allowance is whole again once there are many.
 */
export class FloodLimit {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #senders = new Map<string, { left: number; atMs: number }>();

  constructor({ burst, perSecond }: { burst: number; perSecond: number }) {
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /**
   * Takes one message from a sender's allowance.
   * @returns milliseconds to wait for the next, 0 where it may be sent
   */
  take(sender: string, nowMs: number): number {
    const left = this.#leftOf(sender, nowMs);
    if (left < 1) {
      this.#senders.set(sender, { left, atMs: nowMs });
      return Math.ceil(((1 - left) / this.#perSecond) * 1000);
    }
    if (this.#senders.size >= sendersMax) this.#letGo(nowMs);
    this.#senders.set(sender, { left: left - 1, atMs: nowMs });
    return 0;
  }

  forget(sender: string): void {
    this.#senders.delete(sender);
  }

  #leftOf(sender: string, nowMs: number): number {
    const before = this.#senders.get(sender);
    if (!before) return this.#burst;
    const regained = ((nowMs - before.atMs) / 1000) * this.#perSecond;
    return Math.min(this.#burst, before.left + regained);
  }

  /** Forgets who is at rest; where nobody is, the half that has waited longest. */
  #letGo(nowMs: number): void {
    for (const sender of this.#senders.keys()) {
      if (this.#leftOf(sender, nowMs) >= this.#burst) this.#senders.delete(sender);
    }
    for (const sender of this.#senders.keys()) {
      if (this.#senders.size <= sendersMax / 2) return;
      this.#senders.delete(sender);
    }
  }
}
