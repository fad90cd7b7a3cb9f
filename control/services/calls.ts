import {
  type CallOf,
  type CallOp,
  type CallResult,
  callResults,
} from "#schema/agent/calls.ts";
import { configOf, type Env } from "../env.ts";
import { mailboxOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";

/**
 * Calls a node's agent and waits for its answer.
 * @param afterSeq the instruction that the agent has to apply before
 * @throws Problem `media-timeout` or `media-failed`; nothing is known to be held
 *   on the node afterwards, and repeating the call is harmless
 */
export async function callNode<Op extends CallOp>(
  env: Env,
  nodeId: string,
  request: CallOf<Op>,
  afterSeq = 0,
): Promise<CallResult<Op>> {
  const { callDeadlineMs } = configOf(env).settings.timing;
  const answer = await mailboxOf(env, nodeId).call(request, afterSeq, callDeadlineMs);
  if (answer.ok) return callResults[request.op].parse(answer.result) as CallResult<Op>;
  if (answer.code === "deadline") {
    throw new Problem("media-timeout", { detail: answer.reason, retryAfter: 2 });
  }
  if (answer.code === "invalid") {
    throw new Problem("validation-failed", { detail: answer.reason });
  }
  throw new Problem("media-failed", { detail: answer.reason, retryAfter: 1 });
}
