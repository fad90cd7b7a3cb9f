import { setTimeout as delay } from "node:timers/promises";
import { LaunchError } from "./config.ts";

export interface ReadinessOptions {
  url: string;
  /** What is waited for, as the error names it. */
  what: string;
  timeoutMs: number;
  /** Settles when waiting has become pointless, with the reason. */
  failed: Promise<string>;
  /** Where the details are. */
  logFile: string;
}

/**
 * Waits until a URL answers 200.
 * @throws LaunchError at the timeout or when `failed` settles first
 */
export async function waitUntilReady(options: ReadinessOptions): Promise<void> {
  const { url, what, timeoutMs, logFile } = options;
  let failure: string | undefined;
  void options.failed.then((how) => {
    failure = how;
  });
  const deadline = Date.now() + timeoutMs;
  let last = "no answer";
  while (Date.now() < deadline) {
    if (failure !== undefined) {
      throw new LaunchError(`${what} did not come up (${failure}): see ${logFile}`);
    }
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
      const text = await response.text();
      if (response.ok) return;
      last = `${response.status} ${text.slice(0, 200)}`;
    } catch {
      // Not listening yet.
    }
    await Promise.race([delay(100), options.failed]);
  }
  const seconds = Math.round(timeoutMs / 1000);
  throw new LaunchError(
    `${what} is not ready after ${seconds} s (${last}): see ${logFile}`,
  );
}
