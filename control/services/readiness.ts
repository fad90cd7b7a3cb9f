import type { PartStates } from "#schema/problems.ts";
import { partsOf } from "../databases/parts.ts";
import { configOf, type Env } from "../env.ts";
import { brokerOf } from "../objects/names.ts";

/** Asks every database whether it answers. */
export async function checkParts(env: Env): Promise<PartStates> {
  const config = configOf(env);
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
