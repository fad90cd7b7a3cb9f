import type {
  ChallengeResponse,
  RegisterRequest,
  RegisterResponse,
} from "#schema/agent/control.ts";
import { nodeIdOf } from "#schema/ids.ts";
import { mayAnnounce } from "../auth/addresses.ts";
import { challengeFor, verifyProof } from "../auth/node-proof.ts";
import { type NodePrincipal, signNode } from "../auth/tokens.ts";
import { type Config, configOf, type Env } from "../env.ts";
import { mailboxOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";
import { ask } from "./ask.ts";

/** Gives a node something to sign, with which it may register once. */
export async function challengeNode(env: Env, name: string): Promise<ChallengeResponse> {
  const config = configOf(env);
  const { zone, settings } = config;
  const nodeId = nodeIdOf(zone, name);
  const { epoch } = await ask(env, zone, "readNodeEpoch", { nodeId });
  const challenge = await challengeFor(config, { nodeId, epoch });
  return { zone, nodeId, challenge, expiresInMs: settings.timing.nodeChallengeMs };
}

/**
 * Takes a node into the zone, or in again under a new epoch: the host that holds
 * the node's key, and no other.
 * @param source the address from which the host calls
 * @throws Problem `challenge-refused`, `node-key-mismatch`, `address-refused`,
 *   `codec-mismatch`
 */
export async function registerNode(
  env: Env,
  request: RegisterRequest,
  source: string | undefined,
): Promise<RegisterResponse> {
  const config = configOf(env);
  const { zone, settings } = config;
  const { challenge, signature, publicKey, ...host } = request;
  const { epoch } = await verifyProof(config, { ...request });
  checkAddresses(config, host.addresses, source);
  const registered = await ask(env, zone, "registerNode", {
    ...host,
    zone,
    publicKey,
    challengeEpoch: epoch,
  });
  const pipeAddress = host.addresses.pipe;
  await mailboxOf(env, registered.nodeId).begin({ ...registered, pipeAddress });
  return {
    ...registered,
    credential: await signNode(config, registered),
    heartbeatMs: settings.timing.heartbeatMs,
    pollHoldMs: settings.timing.pollHoldMs,
    overBitrateFactor: settings.sources.overBitrateFactor,
  };
}

/**
 * While the secret is being replaced: the node's credential signed with the present
 * one, so that its registration outlives the former.
 */
export async function credentialInStead(
  env: Env,
  node: NodePrincipal,
): Promise<string | undefined> {
  const config = configOf(env);
  return config.previousSecret ? signNode(config, node) : undefined;
}

function checkAddresses(
  { nodeAddresses }: Config,
  addresses: RegisterRequest["addresses"],
  source: string | undefined,
): void {
  const announced = [
    [addresses.pipe, "WEIR_PIPE_ANNOUNCED_ADDRESS"],
    [addresses.media, "WEIR_ANNOUNCED_ADDRESS"],
  ] as const;
  for (const [address, variable] of announced) {
    if (address === undefined || mayAnnounce(address, source, nodeAddresses)) continue;
    throw new Problem("address-refused", {
      detail: `${address} is neither the address from which this host calls (${source ?? "unknown"}) nor one that the operator allows: correct the host's ${variable}, or add the address to control's WEIR_NODE_ADDRESSES.`,
    });
  }
}
