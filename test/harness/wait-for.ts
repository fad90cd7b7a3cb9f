import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** What is waited for, as the error names it. */
  what: string;
  /** Default 20,000. */
  timeoutMs?: number;
  /** Default 20. */
  intervalMs?: number;
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
  const deadline = Date.now() + (options.timeoutMs ?? 20_000);
  let last: unknown;
  for (;;) {
    try {
      last = await condition();
      if (last) return last as Exclude<Awaited<T>, false | null | undefined | 0 | "">;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      const cause = last instanceof Error ? last : undefined;
      const seen = cause ? cause.message : JSON.stringify(last);
      throw new Error(`Gave up waiting for ${options.what}: last seen ${seen}`, {
        cause,
      });
    }
    await delay(options.intervalMs ?? 20);
  }
}
