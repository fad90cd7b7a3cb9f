import type { CallOf } from "#schema/agent/calls.ts";
import { nodeIdOfWorker, zoneOf } from "#schema/ids.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import type { Env } from "../env.ts";
import { brokerOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";
import { ask, readRows } from "./ask.ts";
import { callNode } from "./calls.ts";
import { locateView } from "./views.ts";

/** Who asks: a participant, of their own alone, or an application, of its rooms. */
export type Reader = { session: SessionPrincipal } | { accountId: string };

/** mediasoup's numbers for a broadcast. @throws Problem `not-found` for another's */
export async function broadcastStats(env: Env, reader: Reader, broadcastId: string) {
  const of = { type: "broadcast", broadcastId } as const;
  if ("accountId" in reader) {
    return statsFor(
      env,
      await workerFor(env, reader.accountId, "broadcast", broadcastId),
      of,
    );
  }
  const { roomId, sessionId } = reader.session;
  const own = { roomId, sessionId, broadcastId };
  const { worker } = await ask(env, zoneOf(roomId) ?? "", "locateBroadcast", own);
  return statsFor(env, worker.workerId, of);
}

/** mediasoup's numbers for a view. @throws Problem `not-found` for another's */
export async function viewStats(env: Env, reader: Reader, viewId: string) {
  const of = { type: "view", viewId } as const;
  if ("accountId" in reader) {
    return statsFor(env, await workerFor(env, reader.accountId, "view", viewId), of);
  }
  const view = await locateView(env, reader.session, viewId);
  return statsFor(env, view.consumer.workerId, of);
}

function statsFor(env: Env, workerId: string, of: CallOf<"stats">["of"]) {
  return callNode(env, nodeIdOfWorker(workerId), { op: "stats", of });
}

async function workerFor(
  env: Env,
  accountId: string,
  kind: "broadcast" | "view",
  id: string,
): Promise<string> {
  const zone = zoneOf(id) ?? "";
  const roomId = await readRows(() => brokerOf(env, zone).roomOf(kind, id));
  if (!roomId) throw new Problem("not-found");
  const input = { roomId, accountId, kind, id };
  return (await ask(env, zone, "workerOfMedia", input)).workerId;
}
