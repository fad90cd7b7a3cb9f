import type { PartStates } from "#schema/problems.ts";
import { partsOf } from "../databases/parts.ts";
import { type Config, configOf, type Env } from "../env.ts";
import { brokerOf } from "../objects/names.ts";

interface Known {
  parts?: PartStates;
  /** When it was found out, or is to be: nobody else asks meanwhile. */
  atMs: number;
}

const known = new WeakMap<Config, Known>();

/**
 * Which databases answer. Whoever asks, and anyone may, an isolate looks once in a
 * while only: a flood of this must not reach the databases.
 */
export async function checkParts(env: Env): Promise<PartStates> {
  const config = configOf(env);
  const before = known.get(config);
  const nowMs = Date.now();
  if (before?.parts && nowMs - before.atMs < config.settings.databases.readyMs) {
    return before.parts;
  }
  known.set(config, { parts: before?.parts, atMs: nowMs });
  const parts = await askParts(env, config);
  known.set(config, { parts, atMs: Date.now() });
  return parts;
}

/** Asks every database whether it answers. */
async function askParts(env: Env, config: Config): Promise<PartStates> {
  const { sessions, accounts, accountsReplica, premium } = partsOf(config);
  const [control, ...answers] = await Promise.all([
    brokerOf(env, config.zone)
      .ready()
      .catch(() => false),
    sessions.answers(),
    accounts.answers(),
    accountsReplica?.answers() ?? false,
    premium?.answers(),
  ]);
  const [sessionsUp, accountsUp, replicaUp, premiumUp] = answers;
  const state = (up: boolean) => (up ? "up" : "down") as "up" | "down";
  return {
    control: state(control),
    sessions: state(sessionsUp),
    accounts: accountsUp ? "up" : replicaUp ? "replica-only" : "down",
    premium: premiumUp === undefined ? "unused" : state(premiumUp),
  };
}
