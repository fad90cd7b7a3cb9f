import type { Logger } from "pino";
import type { Agent } from "./agent.ts";

/**
 * SIGINT leaves at once. SIGTERM drains first; a second signal of either kind
 * leaves at once. Both end with exit code 0.
 */
export function handleSignals(agent: Agent, log: Logger): void {
  let signals = 0;
  let left: Promise<void> | undefined;

  const leave = async () => {
    left ??= agent.leave();
    await left;
    process.exit(0);
  };

  process.on("SIGINT", () => {
    log.info("leaving");
    void leave();
  });
  process.on("SIGTERM", async () => {
    signals += 1;
    if (signals > 1 || left) {
      await leave();
      return;
    }
    log.info("draining");
    await agent.drain();
    log.info({ claims: agent.registration?.claims }, "drained");
    await leave();
  });
}
