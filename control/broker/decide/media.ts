import { nodeIdOfWorker } from "#schema/ids.ts";
import { endLeaving, interrupt } from "../broadcast-moves.ts";
import { endSession, releaseView } from "../claims.ts";
import { bulkOf, type Decision, roomDecision, sessionDecision } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { noteLoss } from "../failing.ts";
import { isOn } from "../node-state.ts";
import { loseSeat, serveWaiting } from "../rehouse.ts";
import type { RoomState, ViewRow } from "../state.ts";
import { markOpen } from "./views.ts";

/** Legs were made: the pipes of these generations are open. */
export const openPipes: Decision<
  { pipes: { broadcastId: string; workerId: string; generation: number }[] },
  Record<string, never>
> = {
  rooms: () => [],
  decide(draft, { pipes }) {
    for (const { broadcastId, workerId, generation } of pipes) {
      markOpen(draft, broadcastId, workerId, generation);
    }
    return {};
  },
};

/**
 * A transport closed by itself. Its views get other seats where their session is
 * still there to take them; its broadcast is kept for a while.
 */
export const transportLost = roomDecision<
  {
    roomId: string;
    sessionId: string;
    transportId: string;
    direction: "send" | "receive";
    broadcastId?: string;
    viewIds: string[];
    reason: string;
    /** The node that says so: it speaks for nothing that is elsewhere. */
    nodeId?: string;
  },
  Record<string, never>
>((draft, input, room) => {
  const { sessionId, transportId, broadcastId, viewIds, reason, nodeId } = input;
  const session = room.sessions.get(sessionId);
  if (session && session.carrier !== "channel") {
    // Nobody is left to be told of another place.
    endSession(draft, room, session, reason);
    return {};
  }
  const broadcast = broadcastId ? draft.state.broadcasts.get(broadcastId) : undefined;
  if (broadcast?.row.sessionId === sessionId) {
    const { row } = broadcast;
    if (row.otherTransportId === transportId) endLeaving(draft, broadcast);
    else if (row.transportId === transportId) interrupt(draft, broadcast, reason);
  }
  for (const viewId of viewIds) {
    const view = room.views.get(viewId);
    if (view?.sessionId !== sessionId || !isOn(nodeId, view)) continue;
    loseUnconnected(draft, room, view, reason);
  }
  serveWaiting(draft, bulkOf(draft));
  return {};
});

/**
 * A view whose media does not reach its client. A session that is there is given
 * another seat, though not for ever: it may be the client that cannot connect.
 */
export function loseUnconnected(
  draft: Draft,
  room: RoomState,
  view: ViewRow,
  reason: string,
): void {
  const tries = view.tries + 1;
  const attached = room.sessions.get(view.sessionId)?.attached ?? false;
  if (room.moves.has(view.id) || (attached && tries < draft.settings.moves.seatsMax)) {
    const avoidNodeId = nodeIdOfWorker(view.workerId);
    loseSeat(draft, room, view, { reason, avoidNodeId, tries, tellAgent: true });
    return;
  }
  releaseView(draft, room, view, true);
  const { id: viewId, sessionId, broadcastId } = view;
  const lost = { type: "view.lost", viewId, broadcastId, reason } as const;
  draft.emitForSession(room, sessionId, lost);
}

/**
 * A viewer tells that a view's media comes no longer: it gets another seat at once,
 * and its host is suspect where several say so. What is too young to judge stays, and
 * what its broadcaster is cut off from.
 * `sends` says whether the broadcast brings anything; absent, nobody knows.
 */
export const viewLost = sessionDecision<
  { roomId: string; sessionId: string; viewId: string; sends?: boolean },
  { moved: boolean }
>((draft, { viewId, sends }, room, session) => {
  const view = room.views.get(viewId);
  if (view?.sessionId !== session.id) return { refusal: "not-found" };
  // What its broadcaster does not send now comes to no other seat either.
  const broadcast = draft.state.broadcasts.get(view.broadcastId);
  if (broadcast?.row.state === "interrupted") return { moved: false };
  const sourceId = nodeIdOfWorker(broadcast?.row.workerId ?? "");
  const isHeard = draft.state.nodes.get(sourceId)?.state === "ready";
  // Where nobody says what comes, it is the source's host that is gone, if it seems so.
  if (!sends && !isHeard) return { moved: false };
  const { lossAfterMs } = draft.settings.failing;
  if (draft.nowMs - view.claimedAtMs < lossAfterMs) return { moved: false };
  const nodeId = nodeIdOfWorker(view.workerId);
  noteLoss(draft, nodeId, session.id);
  const reason = "its media came no longer";
  loseSeat(draft, room, view, { reason, avoidNodeId: nodeId, tellAgent: true });
  serveWaiting(draft, bulkOf(draft));
  return { moved: true };
});
