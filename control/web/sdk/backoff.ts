/**
 * The delay before a new attempt: it doubles from `baseMs` up to `maxMs`, and
 * half of it is random, so that clients which failed together do not return together.
 * @param attempt attempts made so far, from 0
 * @returns milliseconds
 */
export function backoffMs(attempt: number, baseMs = 500, maxMs = 15_000): number {
  const full = Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 16));
  return full / 2 + (Math.random() * full) / 2;
}

/** Resolves after `ms` milliseconds. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
