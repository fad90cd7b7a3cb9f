import type { WaitingRow } from "./state.ts";

/**
 * Those who lost a view and wait for another seat, in the order in which they
 * get one: rooms that pay first, then who has been there longest. They are gone
 * through in passes: each time that something may have room for them, from the
 * first one on.
 */
export class WaitingList {
  readonly #rows = new Map<string, WaitingRow>();
  /** Those who are still to be looked at; undefined: all, in order. */
  #pass: WaitingRow[] | undefined;

  get size(): number {
    return this.#rows.size;
  }

  /** Whether somebody is still to be looked at. */
  get unfinished(): boolean {
    return this.#order().length > 0;
  }

  get(sessionId: string, broadcastId: string): WaitingRow | undefined {
    return this.#rows.get(keyOf(sessionId, broadcastId));
  }

  /** Adds a row, or takes in what changed about it. */
  put(row: WaitingRow): void {
    const key = keyOf(row.sessionId, row.broadcastId);
    const before = this.#rows.get(key);
    this.#rows.set(key, row);
    if (before !== row) this.#pass = undefined;
  }

  delete(row: WaitingRow): void {
    this.#rows.delete(keyOf(row.sessionId, row.broadcastId));
  }

  /** Something may have room: all are looked at again. */
  restart(): void {
    this.#pass = undefined;
  }

  /** The next to be looked at, `most` at most. */
  upcoming(most: number): WaitingRow[] {
    return this.#order().slice(0, most);
  }

  /** These were looked at in this pass. */
  tried(rows: Iterable<WaitingRow>): void {
    const seen = new Set(rows);
    this.#pass = this.#order().filter((row) => !seen.has(row));
  }

  [Symbol.iterator](): IterableIterator<WaitingRow> {
    return this.#rows.values();
  }

  #order(): WaitingRow[] {
    this.#pass ??= [...this.#rows.values()].sort(compare);
    this.#pass = this.#pass.filter((row) => this.#has(row));
    return this.#pass;
  }

  #has(row: WaitingRow): boolean {
    return this.#rows.get(keyOf(row.sessionId, row.broadcastId)) === row;
  }
}

function keyOf(sessionId: string, broadcastId: string): string {
  return `${sessionId} ${broadcastId}`;
}

/** Who is told already that nothing has room waits no worse for it. */
function compare(a: WaitingRow, b: WaitingRow): number {
  if (a.rank !== b.rank) return b.rank - a.rank;
  if (a.presentSinceMs !== b.presentSinceMs) return a.presentSinceMs - b.presentSinceMs;
  if (a.sessionId !== b.sessionId) return a.sessionId < b.sessionId ? -1 : 1;
  return a.broadcastId < b.broadcastId ? -1 : 1;
}
