import pRetry, { AbortError } from "p-retry";
import type { Logger } from "pino";
import type { Timing } from "../timing.ts";
import { FencedError } from "./control-client.ts";

interface RetryParts {
  /** What is tried, for the log. */
  what: string;
  timing: Timing;
  log: Logger;
  signal: AbortSignal;
  onFailure?: () => void;
  /** Says which errors trying again cannot mend; none by default. */
  isFinal?: (error: unknown) => boolean;
}

/**
 * Tries until it succeeds, with growing pauses and jitter, so that a fleet
 * whose control was down does not come back all at once.
 * @throws FencedError at once where control ended the registration; the
 *   signal's reason where it was aborted; what `isFinal` says is final
 */
export async function retryForever<Result>(
  parts: RetryParts,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const { what, timing, log, signal, onFailure, isFinal } = parts;
  return pRetry(
    async () => {
      try {
        return await attempt();
      } catch (error) {
        if (error instanceof FencedError || isFinal?.(error) || signal.aborted) {
          throw new AbortError(error as Error);
        }
        // A TypeError would end the attempts: it is taken for a bug of ours,
        // and here it is mostly a network that failed in an unusual way.
        const { message, cause } = error as Error;
        throw error instanceof TypeError ? new Error(message, { cause }) : error;
      }
    },
    {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: timing.backoffMinMs,
      maxTimeout: timing.backoffMaxMs,
      randomize: true,
      signal,
      onFailedAttempt: ({ error, attemptNumber }) => {
        onFailure?.();
        const cause = error.cause instanceof Error ? error.cause.message : undefined;
        log.warn({ attemptNumber, reason: error.message, cause }, `${what} failed`);
      },
    },
  );
}
