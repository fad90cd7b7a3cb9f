import { nodeIdOfWorker } from "#schema/ids.ts";
import { closePipe, endSession, releaseView } from "../claims.ts";
import { bulkOf, type Decision, roomDecision, roomsBeside } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { isOn } from "../node-state.ts";
import { endLeaving, endResume, interrupt } from "../places.ts";
import { loseSeat, serveWaiting } from "../rehouse.ts";
import type { DeadlineRow, RoomState, ViewRow } from "../state.ts";
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
    endSession(draft, room, session);
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
function loseUnconnected(
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

/** The broker's alarm: acts on what is due. */
export const tick: Decision<{ most: number; nowMs: number }, { acted: number }> = {
  rooms: ({ most, nowMs }, state) => {
    const rooms = new Set<string>();
    for (const { kind, roomId } of state.deadlines.due(nowMs, most)) {
      if (kind === "waiting") {
        for (const row of state.waiting.upcoming(most)) rooms.add(row.roomId);
      }
      if (!roomId) continue;
      for (const id of roomsBeside(roomId, state)) rooms.add(id);
    }
    return rooms;
  },
  decide(draft, { most, nowMs }) {
    const { state } = draft;
    // Others of the group may have cleared deadlines, so that later ones move
    // up whose rooms nobody loaded: the next alarm is at once, and serves them.
    const due = state.deadlines.due(nowMs, most).filter(({ roomId }) => {
      const needed = roomId ? [...roomsBeside(roomId, state)] : [];
      return needed.every((id) => state.rooms.has(id));
    });
    for (const row of due) {
      draft.clearDeadline(row.kind, row.key);
      expire(draft, row);
    }
    if (due.some(({ kind }) => kind === "waiting")) {
      // What is due beside it has lost views too, and leaves less to this commit.
      serveWaiting(draft, Math.max(1, most - due.length + 1));
    }
    return { acted: due.length };
  },
};

function expire(draft: Draft, { kind, key, roomId }: DeadlineRow): void {
  const { state } = draft;
  if (kind === "pipe-linger") {
    const [broadcastId = "", workerId = ""] = key.split(" ");
    const pipe = state.picture.pipe(broadcastId, workerId);
    if (pipe?.state === "lingering") closePipe(draft, pipe);
    return;
  }
  const room = state.rooms.get(roomId);
  if (!room) return;
  if (kind === "view-claim") {
    const late = [...room.views.values()].filter(
      (view) => view.transportId === key && view.state === "claimed",
    );
    for (const view of late) {
      loseUnconnected(draft, room, view, "its media never connected");
    }
    return;
  }
  if (kind === "resume" || kind === "leave") {
    const broadcast = state.broadcasts.get(key);
    if (!broadcast) return;
    if (kind === "resume") endResume(draft, broadcast);
    else endLeaving(draft, broadcast);
    return;
  }
  if (kind === "move") {
    const move = room.moves.get(key);
    const next = move && room.views.get(move.toViewId);
    // The old seat goes where the new one is in use, else the other way round.
    const goes = next?.state === "active" ? room.views.get(key) : next;
    if (goes) releaseView(draft, room, goes, true);
    return;
  }
  if (kind !== "session-attach" && kind !== "session-grace") return;
  const session = room.sessions.get(key);
  if (session) endSession(draft, room, session);
}
