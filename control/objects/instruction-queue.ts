import type { OutboxItem } from "#schema/agent/instructions.ts";

/** An instruction handed to a poll and not acknowledged is offered again after this. */
const reofferMs = 2000;
/** Acknowledgements are passed on this often at most: they only save space. */
const acknowledgeEveryMs = 2000;
/** The database is asked again this often, should a push have been lost. */
const rereadMs = 30_000;
/** A push is on its way for this long at most before it counts as lost. */
const pushMs = 100;
/** Instructions that one poll carries at most. */
const pollMax = 500;

interface QueueOptions {
  /** Reads the outbox after a sequence number. */
  read: (afterSeq: number) => Promise<OutboxItem[]>;
  /** Tells that everything up to a sequence number was applied. */
  acknowledged: (seq: number) => Promise<void>;
  /** Instructions may have come that a poll waits for. */
  arrived: () => void;
}

interface Waiting {
  item: OutboxItem;
  offeredAtMs: number;
}

/**
 * A node's instructions on their way to its agent, in order and without gaps.
 * The database has them all: a queue that knows nothing, or sees a gap, reads.
 * Nobody waits for its reading, as calls have to go on while the database is away.
 */
export class InstructionQueue {
  readonly #options: QueueOptions;
  #waiting: Waiting[] = [];
  /** The last instruction held here, or acknowledged; undefined: not known yet. */
  #lastSeq: number | undefined;
  #ackSeq = 0;
  #toldSeq = 0;
  #toldAtMs = 0;
  #readAtMs = 0;
  #isReading = false;
  /** Something is missing that no reading under way is sure to find. */
  #lacks = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** The outbox starts after `seq`: nothing before it is wanted. */
  known(seq: number): void {
    this.#waiting = [];
    this.#lastSeq = seq;
    this.#ackSeq = seq;
    this.#toldSeq = seq;
  }

  /** Takes pushed instructions; where others are missing before them, it reads. */
  push(items: OutboxItem[]): void {
    if (!this.#add(items)) this.#lack();
    this.#options.arrived();
  }

  /** A call waits for an instruction: one whose push does not come is read. */
  want(seq: number): void {
    if (this.#has(seq)) return;
    setTimeout(() => {
      if (!this.#has(seq)) this.#lack();
    }, pushMs);
  }

  /** The agent has applied everything up to `seq`. */
  acknowledge(seq: number): void {
    this.#ackSeq = Math.max(this.#ackSeq, seq);
    if (this.#lastSeq !== undefined)
      this.#lastSeq = Math.max(this.#lastSeq, this.#ackSeq);
    this.#waiting = this.#waiting.filter(({ item }) => item.seq > this.#ackSeq);
    const nowMs = Date.now();
    const isUnread = this.#lastSeq === undefined || nowMs - this.#readAtMs > rereadMs;
    if ((isUnread || this.#lacks) && !this.#isReading) void this.#read();
    if (this.#ackSeq <= this.#toldSeq || nowMs - this.#toldAtMs < acknowledgeEveryMs)
      return;
    this.#toldSeq = this.#ackSeq;
    this.#toldAtMs = nowMs;
    // Nobody waits for this: rows that stay are deleted by a later telling.
    this.#options.acknowledged(this.#ackSeq).catch(() => {
      this.#toldSeq = 0;
    });
  }

  /**
   * The instructions to hand to a poll now. Each has its own time for its
   * acknowledgement: one that was lost must not wait for those after it to pause.
   */
  take(): OutboxItem[] {
    const nowMs = Date.now();
    const due = this.#waiting
      .filter(({ offeredAtMs }) => nowMs - offeredAtMs >= reofferMs)
      .slice(0, pollMax);
    for (const one of due) one.offeredAtMs = nowMs;
    return due.map(({ item }) => item);
  }

  #has(seq: number): boolean {
    return seq <= (this.#lastSeq ?? -1);
  }

  /** @returns whether all of them follow on what is here, or are known */
  #add(items: OutboxItem[]): boolean {
    for (const item of items) {
      if (this.#lastSeq === undefined) return false;
      if (item.seq <= this.#lastSeq) continue;
      if (item.seq > this.#lastSeq + 1) return false;
      this.#waiting.push({ item, offeredAtMs: 0 });
      this.#lastSeq = item.seq;
    }
    return true;
  }

  /**
   * Reads what is missing; a reading under way may have begun too early for it. A
   * queue that knows nothing yet reads when a poll tells how far its agent is.
   */
  #lack(): void {
    this.#lacks = true;
    if (!this.#isReading && this.#lastSeq !== undefined) void this.#read();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      do {
        this.#lacks = false;
        this.#readAtMs = Date.now();
        const after = this.#lastSeq ?? this.#ackSeq;
        const items = await this.#options.read(after);
        this.#lastSeq ??= after;
        this.#add(items);
      } while (this.#lacks);
    } catch {
      // The next poll, or the next push, tries again.
      this.#lacks = true;
    }
    this.#isReading = false;
    this.#options.arrived();
  }
}
