import { nodeIdOfWorker, zoneOf } from "#schema/ids.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import type { ClaimedView } from "../broker/decide/views.ts";
import type { Env } from "../env.ts";
import { ask } from "./ask.ts";
import { comesIn } from "./comes-in.ts";
import { locateView } from "./stats.ts";

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
  if (await isSourceSilent(env, view)) return { moved: false };
  const { roomId, sessionId } = session;
  const input = { roomId, sessionId, viewId };
  return ask(env, zoneOf(roomId) ?? "", "viewLost", input);
}

/**
 * Whether the broadcast itself brings nothing. The view's own host knows best; where
 * it does not answer, its source's host does, and where that does not either, the
 * picture would not come by any other way.
 */
async function isSourceSilent(env: Env, view: ClaimedView): Promise<boolean> {
  const { viewId, broadcastId, consumer, producer } = view;
  const nodeId = nodeIdOfWorker(consumer.workerId);
  const sourceId = nodeIdOfWorker(producer.workerId);
  const atSource = { type: "broadcast", broadcastId } as const;
  const [here, there] = await Promise.all([
    comesIn(env, nodeId, { type: "view", viewId }),
    sourceId === nodeId ? undefined : comesIn(env, sourceId, atSource),
  ]);
  if (here !== undefined) return !here;
  // A host that has both and says nothing is the one that its viewer misses.
  return sourceId !== nodeId && there !== true;
}
