import { callResults } from "#schema/agent/calls.ts";
import { nodeIdOfWorker, zoneOf } from "#schema/ids.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import type { Env } from "../env.ts";
import { mailboxOf } from "../objects/names.ts";
import { ask } from "./ask.ts";
import { locateView } from "./stats.ts";

/** A host that does not answer for so long is what its viewer says it is. */
const answerWithinMs = 2500;

/**
 * A viewer misses a view's media: it gets another seat, unless its host says that
 * the broadcast brings it nothing. Then no other seat would show more, and the host
 * is not to blame.
 * @throws Problem `not-found` where the view is not the session's
 */
export async function reportLost(
  env: Env,
  session: SessionPrincipal,
  viewId: string,
): Promise<{ moved: boolean }> {
  const { consumer } = await locateView(env, session, viewId);
  if (await isSourceSilent(env, consumer.workerId, viewId)) return { moved: false };
  const { roomId, sessionId } = session;
  const input = { roomId, sessionId, viewId };
  return ask(env, zoneOf(roomId) ?? "", "viewLost", input);
}

async function isSourceSilent(env: Env, workerId: string, viewId: string) {
  const of = { type: "view", viewId } as const;
  const mailbox = mailboxOf(env, nodeIdOfWorker(workerId));
  const answer = await mailbox.call({ op: "stats", of }, 0, answerWithinMs);
  if (!answer.ok) return false;
  const { stats } = callResults.stats.parse(answer.result);
  const incoming = stats.filter(({ type }) => type === "inbound-rtp");
  return incoming.every(({ bitrate }) => bitrate === 0);
}
