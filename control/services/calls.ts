import { type CallResult, callResults } from "#schema/agent/call-results.ts";
import type { CallAnswer, CallOf, CallOp, CallRequest } from "#schema/agent/calls.ts";
import { nodeIdOfTransport } from "#schema/ids.ts";
import { configOf, type Env } from "../env.ts";
import { mailboxOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";
import { answered } from "./ask.ts";

/**
 * Calls a node's agent and waits for its answer.
 * @param afterSeq the instruction that the agent has to apply before
 * @throws Problem `media-timeout`, `media-failed` or `unavailable`; nothing is known to be held
 *   on the node afterwards, and repeating the call is harmless
 */
export async function callNode<Op extends CallOp>(
  env: Env,
  nodeId: string,
  request: CallOf<Op>,
  afterSeq = 0,
): Promise<CallResult<Op>> {
  const answer = await relay(env, nodeId, request, afterSeq);
  if (answer.ok) return callResults[request.op].parse(answer.result) as CallResult<Op>;
  throw problemOf(answer);
}

/**
 * Calls about a transport of a session, whose id names the node. One that is
 * gone is not found, nor is one that is another session's.
 * @throws Problem `not-found`, else as `callNode`
 */
export async function callTransport<Op extends CallOp>(
  env: Env,
  transportId: string,
  request: CallOf<Op>,
): Promise<CallResult<Op>> {
  const answer = await relay(env, nodeIdOfTransport(transportId), request, 0);
  if (answer.ok) return callResults[request.op].parse(answer.result) as CallResult<Op>;
  // Only connecting carries parameters that may be wrong by themselves.
  const notOwn = answer.code === "invalid" && request.op !== "connect-transport";
  if (answer.code === "gone" || notOwn) throw new Problem("not-found");
  throw problemOf(answer);
}

function relay(env: Env, nodeId: string, request: CallRequest, afterSeq: number) {
  const { callDeadlineMs } = configOf(env).settings.timing;
  return answered(mailboxOf(env, nodeId).call(request, afterSeq, callDeadlineMs));
}

function problemOf({ code, reason }: Extract<CallAnswer, { ok: false }>): Problem {
  if (code === "deadline") {
    return new Problem("media-timeout", { detail: reason, retryAfter: 2 });
  }
  if (code === "invalid") return new Problem("validation-failed", { detail: reason });
  return new Problem("media-failed", { detail: reason, retryAfter: 1 });
}
