import { closePipe, endBroadcast, endSession, releaseView } from "../claims.ts";
import { type Decision, roomDecision, roomsBeside } from "../decision.ts";
import type { Draft } from "../draft.ts";
import type { DeadlineRow } from "../state.ts";
import { emitLost, markOpen } from "./views.ts";

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

/** A transport closed by itself: what it carried is given back. */
export const transportLost = roomDecision<
  {
    roomId: string;
    sessionId: string;
    direction: "send" | "receive";
    broadcastId?: string;
    viewIds: string[];
    reason: string;
  },
  Record<string, never>
>((draft, input, room) => {
  const { sessionId, broadcastId, viewIds, reason } = input;
  const broadcast = broadcastId ? draft.state.broadcasts.get(broadcastId) : undefined;
  if (broadcast?.row.sessionId === sessionId) endBroadcast(draft, broadcast);
  for (const viewId of viewIds) {
    const view = room.views.get(viewId);
    if (view?.sessionId !== sessionId) continue;
    releaseView(draft, room, view, true);
    emitLost(draft, room, view, reason);
  }
  return {};
});

/** The broker's alarm: acts on what is due. */
export const tick: Decision<{ most: number; nowMs: number }, { acted: number }> = {
  rooms: ({ most, nowMs }, state) => {
    const rooms = new Set<string>();
    for (const { roomId } of state.deadlines.due(nowMs, most)) {
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
      releaseView(draft, room, view, true);
      emitLost(draft, room, view, "its media never connected");
    }
    return;
  }
  const session = room.sessions.get(key);
  if (session) endSession(draft, room, session);
}
