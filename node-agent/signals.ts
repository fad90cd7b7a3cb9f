import type { Logger } from "pino";
import type { Agent } from "./agent.ts";

/**
 * SIGINT leaves with no more than a word to control. SIGTERM drains first. Whatever
 * comes after one of them leaves at once. All end with exit code 0.
 */
export function handleSignals(agent: Agent, log: Logger): void {
  let asked = false;
  let left: Promise<void> | undefined;

  const leave = async () => {
    left ??= agent.leave();
    await left;
    process.exit(0);
  };
  const on = (signal: NodeJS.Signals, prepare: () => Promise<void>) => {
    process.on(signal, async () => {
      const isFirst = !asked;
      asked = true;
      if (isFirst) {
        await prepare();
        await agent.sayGoodbye();
      }
      await leave();
    });
  };

  on("SIGINT", async () => log.info("leaving"));
  on("SIGTERM", async () => {
    log.info("draining");
    await agent.drain();
    log.info({ claims: agent.registration?.claims }, "drained");
  });
}
