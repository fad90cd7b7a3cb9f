import type { OutboxItem } from "#schema/agent/instructions.ts";

/** An instruction handed to a poll and not acknowledged is offered again after this. */
const reofferMs = 2000;
/** Acknowledgements are passed on this often at most: they only save space. */
const acknowledgeEveryMs = 2000;
/** The database is asked again this often, should a push have been lost. */
const rereadMs = 30_000;
/** Instructions that one poll carries at most. */
const pollMax = 500;

interface QueueOptions {
  /** Reads the outbox after a sequence number. */
  read: (afterSeq: number) => Promise<OutboxItem[]>;
  /** Tells that everything up to a sequence number was applied. */
  acknowledged: (seq: number) => Promise<void>;
}

/**
 * A node's instructions on their way to its agent, in order and without gaps.
 * The database has them all: a queue that knows nothing, or sees a gap, reads.
 */
export class InstructionQueue {
  readonly #options: QueueOptions;
  #items: OutboxItem[] = [];
  /** The last instruction held here, or acknowledged; undefined: not known yet. */
  #lastSeq: number | undefined;
  #ackSeq = 0;
  #offeredSeq = 0;
  #offeredAtMs = 0;
  #toldSeq = 0;
  #toldAtMs = 0;
  #readAtMs = 0;
  #gap = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** The outbox starts after `seq`: nothing before it is wanted. */
  known(seq: number): void {
    this.#items = [];
    this.#lastSeq = seq;
    this.#ackSeq = seq;
    this.#offeredSeq = seq;
    this.#toldSeq = seq;
  }

  /** Takes pushed instructions; a gap before them makes the next poll read. */
  add(items: OutboxItem[]): void {
    for (const item of items) {
      if (this.#lastSeq === undefined) return;
      if (item.seq <= this.#lastSeq) continue;
      if (item.seq > this.#lastSeq + 1) {
        this.#gap = true;
        return;
      }
      this.#items.push(item);
      this.#lastSeq = item.seq;
    }
  }

  /** The agent has applied everything up to `seq`. */
  async acknowledge(seq: number): Promise<void> {
    this.#ackSeq = Math.max(this.#ackSeq, seq);
    this.#items = this.#items.filter((item) => item.seq > this.#ackSeq);
    const nowMs = Date.now();
    const unread = this.#lastSeq === undefined || nowMs - this.#readAtMs > rereadMs;
    if (unread || this.#gap) await this.#read(nowMs);
    if (this.#ackSeq <= this.#toldSeq || nowMs - this.#toldAtMs < acknowledgeEveryMs)
      return;
    this.#toldSeq = this.#ackSeq;
    this.#toldAtMs = nowMs;
    // Nobody waits for this: rows that stay are deleted by a later telling.
    this.#options.acknowledged(this.#ackSeq).catch(() => {
      this.#toldSeq = 0;
    });
  }

  /** The instructions to hand to a poll now. */
  take(): OutboxItem[] {
    const nowMs = Date.now();
    const again = nowMs - this.#offeredAtMs >= reofferMs;
    const after = again ? this.#ackSeq : Math.max(this.#ackSeq, this.#offeredSeq);
    const items = this.#items.filter((item) => item.seq > after).slice(0, pollMax);
    const last = items.at(-1);
    if (last) {
      this.#offeredSeq = Math.max(this.#offeredSeq, last.seq);
      this.#offeredAtMs = nowMs;
    }
    return items;
  }

  async #read(nowMs: number): Promise<void> {
    this.#readAtMs = nowMs;
    this.#gap = false;
    const after = Math.max(this.#lastSeq ?? 0, this.#ackSeq);
    try {
      const items = await this.#options.read(after);
      this.#lastSeq ??= after;
      this.add(items);
    } catch {
      // Calls need no database, so a poll goes on without it; the next one reads.
      this.#gap = true;
    }
  }
}
