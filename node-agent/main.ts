import { setLogEventListeners } from "mediasoup";
import { pino } from "pino";
import { Agent } from "./agent.ts";
import { ConfigError, readConfig } from "./config.ts";
import { handleSignals } from "./signals.ts";

/** A consumer that ended with its producer in the worker, before it was closed here. */
function isLateClosing(text: string): boolean {
  return text.includes("Consumer not found [method:transport.closeConsumer]");
}

/** Starts the node agent from its environment. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = pino({ level: config.logLevel, base: { node: config.nodeName } });
  const agent = new Agent(config, log);
  setLogEventListeners({
    onwarn: (namespace, text) => {
      log[isLateClosing(text) ? "debug" : "warn"]({ namespace }, text);
    },
    onerror: (namespace, text, err) => {
      log[isLateClosing(text) ? "debug" : "error"]({ namespace, err }, text);
    },
  });
  // A promise that nobody awaited is a bug, but no reason to cut everyone off.
  process.on("unhandledRejection", (err) => log.error({ err }, "unhandled rejection"));
  handleSignals(agent, log);
  await agent.start();
}

try {
  await main();
} catch (error) {
  // Wrong settings are the operator's to mend: no stack trace helps with them.
  const text = error instanceof ConfigError ? error.message : (error as Error).stack;
  process.stderr.write(`${text}\n`);
  process.exitCode = 1;
  process.exit();
}
