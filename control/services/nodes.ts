import type { RegisterRequest, RegisterResponse } from "#schema/agent/control.ts";
import { signNode } from "../auth/tokens.ts";
import { configOf, type Env } from "../env.ts";
import { mailboxOf } from "../objects/names.ts";
import { ask } from "./ask.ts";

/** Takes a node into the zone, or in again under a new epoch. */
export async function registerNode(
  env: Env,
  request: RegisterRequest,
): Promise<RegisterResponse> {
  const config = configOf(env);
  const { zone, settings } = config;
  const registered = await ask(env, zone, "registerNode", { ...request, zone });
  await mailboxOf(env, registered.nodeId).begin(registered);
  return {
    ...registered,
    credential: await signNode(config, registered),
    heartbeatMs: settings.timing.heartbeatMs,
    pollHoldMs: settings.timing.pollHoldMs,
  };
}
