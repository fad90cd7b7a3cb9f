/**
 * Lets each sender have `burst` messages at once and then so many per second.
 * It forgets senders whose allowance is whole again.
 */
export class FloodLimit {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #senders = new Map<string, { left: number; atMs: number }>();

  constructor(burst: number, perSecond: number) {
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /**
   * Takes one message from a sender's allowance.
   * @returns milliseconds to wait for the next, 0 where it may be sent
   */
  take(sender: string, nowMs: number): number {
    const before = this.#senders.get(sender) ?? { left: this.#burst, atMs: nowMs };
    const regained = ((nowMs - before.atMs) / 1000) * this.#perSecond;
    const left = Math.min(this.#burst, before.left + regained);
    if (left < 1) {
      this.#senders.set(sender, { left, atMs: nowMs });
      return Math.ceil(((1 - left) / this.#perSecond) * 1000);
    }
    this.#senders.set(sender, { left: left - 1, atMs: nowMs });
    return 0;
  }

  forget(sender: string): void {
    this.#senders.delete(sender);
  }
}
