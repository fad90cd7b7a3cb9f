/**
 * How long the parts of a request took, for its `Server-Timing` header. A part
 * that is measured several times at once counts from its first start to its
 * last end: what the client waited for.
 */
export class ServerTiming {
  readonly #spans = new Map<string, { startMs: number; endMs: number }>();

  /** Runs a part of the request, and notes its time whether or not it succeeds. */
  async measure<Result>(part: string, work: () => Promise<Result>): Promise<Result> {
    const startMs = performance.now();
    try {
      return await work();
    } finally {
      const endMs = performance.now();
      const span = this.#spans.get(part);
      this.#spans.set(part, { startMs: span?.startMs ?? startMs, endMs });
    }
  }

  /** The header's value, parts in the order in which they first ended. */
  get header(): string {
    return [...this.#spans]
      .map(([part, { startMs, endMs }]) => `${part};dur=${(endMs - startMs).toFixed(1)}`)
      .join(", ");
  }
}
