import type { Instruction } from "#schema/agent/instructions.ts";

/** An instruction with its place in the outbox. */
export interface InboxItem {
  seq: number;
  /** Absent where this agent cannot read it: its place is taken all the same. */
  instruction?: Instruction;
}

interface Waiter {
  seq: number;
  resolve: () => void;
}

/**
 * Takes a node's instructions in, each once, and knows how far it has got.
 * Items may come twice, late and out of order. They are applied at once, as
 * closings must not wait for a gap to fill; the acknowledgement does wait.
 */
export class Inbox {
  readonly #apply: (instruction: Instruction) => void;
  readonly #ahead = new Set<number>();
  #waiters: Waiter[] = [];
  #ackSeq: number;

  /**
   * @param startSeq the sequence number after which the outbox starts
   * @param apply applies one instruction; must not throw
   */
  constructor(startSeq: number, apply: (instruction: Instruction) => void) {
    this.#ackSeq = startSeq;
    this.#apply = apply;
  }

  /** The last instruction applied, all before it included. */
  get ackSeq(): number {
    return this.#ackSeq;
  }

  /**
   * Applies what is new among these items, lowest sequence number first.
   * @returns how many were new
   */
  take(items: readonly InboxItem[]): number {
    let fresh = 0;
    for (const item of [...items].sort((a, b) => a.seq - b.seq)) {
      if (item.seq <= this.#ackSeq || this.#ahead.has(item.seq)) continue;
      if (item.instruction) this.#apply(item.instruction);
      this.#ahead.add(item.seq);
      fresh += 1;
    }
    while (this.#ahead.delete(this.#ackSeq + 1)) this.#ackSeq += 1;
    const due = this.#waiters.filter((waiter) => waiter.seq <= this.#ackSeq);
    this.#waiters = this.#waiters.filter((waiter) => waiter.seq > this.#ackSeq);
    for (const waiter of due) waiter.resolve();
    return fresh;
  }

  /**
   * Waits until everything up to a sequence number was applied.
   * @param seq the sequence number
   * @param timeoutMs how long to wait
   * @returns false where the time ran out first
   */
  async applied(seq: number, timeoutMs: number): Promise<boolean> {
    if (seq <= this.#ackSeq) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        resolve(false);
      }, timeoutMs);
      const waiter: Waiter = {
        seq,
        resolve: () => {
          clearTimeout(timer);
          resolve(true);
        },
      };
      this.#waiters.push(waiter);
    });
  }
}
