import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** What is waited for, as the error names it. */
  what: string;
  /** Default 20,000. */
  timeoutMs?: number;
  /** Default: a tenth of the time that was waited so far, from 10 to 250. */
  intervalMs?: number;
}

/**
 * What takes long is asked for seldom: a question may cost more than what is waited
 * for, and the machine has better things to do.
 */
function growing(waitedMs: number): number {
  return Math.min(Math.max(waitedMs / 10, 10), 250);
}

/**
 * Asks until the answer is truthy.
 * @param condition may be asynchronous; what it throws counts as "not yet"
 * @returns the first truthy answer
 * @throws Error naming what was waited for, with the last answer or error
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: WaitOptions,
): Promise<Exclude<Awaited<T>, false | null | undefined | 0 | "">> {
  const startedMs = performance.now();
  const { timeoutMs = 20_000, intervalMs } = options;
  let last: unknown;
  for (;;) {
    try {
      last = await condition();
      if (last) return last as Exclude<Awaited<T>, false | null | undefined | 0 | "">;
    } catch (error) {
      last = error;
    }
    const waitedMs = performance.now() - startedMs;
    if (waitedMs > timeoutMs) {
      const cause = last instanceof Error ? last : undefined;
      const seen = cause ? cause.message : JSON.stringify(last);
      throw new Error(`Gave up waiting for ${options.what}: last seen ${seen}`, {
        cause,
      });
    }
    await delay(intervalMs ?? growing(waitedMs));
  }
}
