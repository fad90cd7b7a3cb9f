import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import type { TestHarnessOptions } from "wrangler";
import { root } from "./root.ts";

/** The Durable Objects that can be ended, by their names in wrangler.toml. */
export type ObjectBinding = "ZONE_BROKER" | "NODE_MAILBOX" | "ROOM_CHANNEL";

interface Surroundings {
  vars: Record<string, string>;
  secrets: Record<string, string>;
}

type WorkerInput = TestHarnessOptions["workers"][number];

/**
 * Control as wrangler.toml has it.
 * @param mortal whether its objects can be ended: then its entry is `mortal-worker.mjs`
 */
export function workerInput(
  { vars, secrets }: Surroundings,
  mortal: boolean,
): WorkerInput {
  const configPath = join(root, "wrangler.toml");
  if (!mortal) {
    // Where nobody has bundled it, wrangler does so by itself.
    const prebuiltWorkerDir = process.env.WEIR_TEST_BUNDLE;
    return { configPath, vars, secrets, prebuiltWorkerDir };
  }
  const config = parse(readFileSync(configPath, "utf8"));
  const main = "test/harness/mortal-worker.mjs";
  return { config: { ...config, main, vars: { ...vars, ...secrets } } };
}
