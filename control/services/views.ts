import { nodeIdOfWorker, zoneOf } from "#schema/ids.ts";
import type { ViewWishesWire } from "#schema/media.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import type { Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { ask } from "./ask.ts";
import { callNode } from "./calls.ts";

/** Pauses or resumes a view (it keeps its seat), or changes what it prefers. */
export async function updateView(
  env: Env,
  session: SessionPrincipal,
  viewId: string,
  wishes: ViewWishesWire,
): Promise<void> {
  const view = await locateView(env, session, viewId);
  const { roomId, sessionId } = session;
  const views = [{ viewId, ...wishes }];
  const request = { op: "update-views", roomId, sessionId, views } as const;
  await callNode(env, nodeIdOfWorker(view.consumer.workerId), request);
}

/** A view of the session's own. @throws Problem `not-found` */
export async function locateView(env: Env, session: SessionPrincipal, viewId: string) {
  const { roomId, sessionId } = session;
  const own = { roomId, sessionId, viewIds: [viewId] };
  const { views } = await ask(env, zoneOf(roomId) ?? "", "locateViews", own);
  const [view] = views;
  if (!view) throw new Problem("not-found");
  return view;
}
