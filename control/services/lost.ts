import { nodeIdOfWorker, zoneOf } from "#schema/ids.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import type { ClaimedView } from "../broker/decide/views.ts";
import type { Env } from "../env.ts";
import { ask } from "./ask.ts";
import { comesIn } from "./comes-in.ts";
import { locateView } from "./views.ts";

/**
 * A viewer misses a view's media: it gets another seat, unless it is the broadcast
 * that brings nothing. Then no other seat would show more, and the view's host is
 * not to blame.
 * @throws Problem `not-found` where the view is not the session's
 */
export async function reportLost(
  env: Env,
  session: SessionPrincipal,
  viewId: string,
): Promise<{ moved: boolean }> {
  const view = await locateView(env, session, viewId);
  const sends = await sourceSends(env, view);
  if (sends === false) return { moved: false };
  const { roomId, sessionId } = session;
  const input = { roomId, sessionId, viewId, sends };
  return ask(env, zoneOf(roomId) ?? "", "viewLost", input);
}

/**
 * Whether the broadcast itself brings anything: the view's own host knows best, and
 * where it does not answer, the source's host does.
 * @returns undefined where neither says
 */
async function sourceSends(env: Env, view: ClaimedView): Promise<boolean | undefined> {
  const { viewId, broadcastId, consumer, producer } = view;
  const nodeId = nodeIdOfWorker(consumer.workerId);
  const sourceId = nodeIdOfWorker(producer.workerId);
  const [here, there] = await Promise.all([
    comesIn(env, nodeId, { type: "view", viewId }),
    // A host that has both and says nothing is the one that its viewer misses.
    sourceId === nodeId || comesIn(env, sourceId, { type: "broadcast", broadcastId }),
  ]);
  return here ?? there;
}
