import type { DeadlineRow } from "./state.ts";

interface Entry {
  dueAtMs: number;
  /** Deadlines due at the same moment come in the order in which they were set. */
  order: number;
  key: string;
  row: DeadlineRow;
}

/** Entries of deadlines that were cleared; above this share of all they are swept. */
const staleShareMax = 0.5;
const sweepFrom = 1024;

/**
 * The zone's deadlines by key, with the earliest at hand: every commit asks for
 * it, and most deadlines are cleared long before they are due. A cleared one
 * stays in the heap until it comes up or too many have gathered.
 */
export class Deadlines {
  readonly #rows = new Map<string, DeadlineRow>();
  #heap: Entry[] = [];
  #order = 0;

  get size(): number {
    return this.#rows.size;
  }

  /** Sets a deadline, in place of the one of that key. */
  set(key: string, row: DeadlineRow): void {
    this.#rows.set(key, row);
    this.#order += 1;
    this.#push({ dueAtMs: row.dueAtMs, order: this.#order, key, row });
    const stale = this.#heap.length - this.#rows.size;
    if (this.#heap.length < sweepFrom || stale < staleShareMax * this.#heap.length)
      return;
    this.#heap = this.#heap.filter((entry) => this.#isSet(entry)).sort(compare);
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  /** @returns whether there was one */
  delete(key: string): boolean {
    return this.#rows.delete(key);
  }

  [Symbol.iterator](): IterableIterator<[string, DeadlineRow]> {
    return this.#rows.entries();
  }

  /** When the earliest is due, in milliseconds since 1970, or undefined. */
  nextMs(): number | undefined {
    for (let first = this.#heap[0]; first; first = this.#heap[0]) {
      if (this.#isSet(first)) return first.dueAtMs;
      this.#pop();
    }
    return undefined;
  }

  /** Those due at `nowMs`, earliest first, `most` at most; they stay set. */
  due(nowMs: number, most: number): DeadlineRow[] {
    const due: Entry[] = [];
    while (due.length < most && (this.nextMs() ?? Number.POSITIVE_INFINITY) <= nowMs) {
      const entry = this.#pop();
      if (entry) due.push(entry);
    }
    for (const entry of due) this.#push(entry);
    return due.map(({ row }) => row);
  }

  #isSet({ key, row }: Entry): boolean {
    return this.#rows.get(key) === row;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (compare(heap[parent] as Entry, entry) <= 0) break;
      heap[at] = heap[parent] as Entry;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right && compare(right, heap[child] as Entry) < 0) child += 1;
      if (compare(heap[child] as Entry, last) >= 0) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function compare(a: Entry, b: Entry): number {
  return a.dueAtMs - b.dueAtMs || a.order - b.order;
}
