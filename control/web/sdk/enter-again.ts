import { backoffMs, delay } from "./backoff.ts";
import { asWeirError, isPassing, type WeirError } from "./errors.ts";

/**
 * Enters a room again after its session was lost, until it succeeds, is given up
 * or makes no sense any more.
 * @param enter one attempt
 * @param givenUp asked before each attempt
 * @returns why it cannot be entered, or undefined where it was or was given up
 */
export async function enterAgain(
  enter: () => Promise<void>,
  givenUp: () => boolean,
): Promise<WeirError | undefined> {
  for (let attempt = 0; ; attempt++) {
    await delay(backoffMs(attempt));
    if (givenUp()) return undefined;
    try {
      await enter();
      return undefined;
    } catch (error) {
      const problem = asWeirError(error);
      // The lost session's own place counts until the server has noticed its end.
      const comesBack = isPassing(problem.code) || problem.code === "room-full";
      if (!comesBack) return problem;
      await delay(problem.retryAfterMs ?? 0);
    }
  }
}
