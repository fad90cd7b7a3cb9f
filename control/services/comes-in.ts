import { callResults } from "#schema/agent/call-results.ts";
import type { CallOf } from "#schema/agent/calls.ts";
import type { Env } from "../env.ts";
import { mailboxOf } from "../objects/names.ts";

/** Who asks has to decide soon: a host that takes longer is taken as not answering. */
const answerWithinMs = 2500;

/**
 * Asks a host whether anything comes in at it for a broadcast's tracks, or, for a
 * view, by the pipe that brings it.
 * @returns undefined where it does not say
 */
export async function comesIn(
  env: Env,
  nodeId: string,
  of: CallOf<"stats">["of"],
): Promise<boolean | undefined> {
  const mailbox = mailboxOf(env, nodeId);
  const answer = await mailbox.call({ op: "stats", of }, 0, answerWithinMs);
  if (!answer.ok) return undefined;
  const { stats } = callResults.stats.parse(answer.result);
  return stats.some(
    ({ type, bitrate }) => type === "inbound-rtp" && Number(bitrate ?? 0) > 0,
  );
}
