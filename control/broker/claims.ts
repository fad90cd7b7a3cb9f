import { nodeIdOfWorker } from "#schema/ids.ts";
import { countingWatched } from "./account-caps.ts";
import type { Draft } from "./draft.ts";
import { endMoveOf, seatsOf } from "./moves.ts";
import { closePipe, ensurePipe, lingerIfUnwatched } from "./pipes.ts";
import { freeIdleProducer } from "./reservations.ts";
import type { BroadcastState, RoomState, SessionRow, ViewRow } from "./state.ts";
import { dropWaiting } from "./waiting.ts";

/*
 * Taking and giving back what costs capacity. Every release goes by the row
 * that holds the claim, so it gives back exactly what was taken, and once.
 */

/** Gives a placed view its seat, and its broadcast's pipe if it had none. */
export function claimSeat(draft: Draft, room: RoomState, view: ViewRow): void {
  draft.changeSeats(room.row.id, view.broadcastId, view.workerId, 1);
  ensurePipe(draft, view.broadcastId, view.workerId);
  room.views.set(view.id, view);
  countingWatched(draft, room, view.sessionId, view.broadcastId, () => {
    const ofSession = room.viewsBySession.get(view.sessionId);
    if (ofSession) ofSession.set(view.broadcastId, view);
    else room.viewsBySession.set(view.sessionId, new Map([[view.broadcastId, view]]));
  });
  draft.changes.views.put(view);
}

/**
 * Gives a view's seat back; its pipe lingers when nobody watches it any more.
 * Of a view that moves, the other seat is what is left.
 * @param tellAgent false where the agent learns of it by a larger closing
 */
export function releaseView(
  draft: Draft,
  room: RoomState,
  view: ViewRow,
  tellAgent: boolean,
): void {
  if (!room.views.delete(view.id)) return;
  const ofSession = room.viewsBySession.get(view.sessionId);
  countingWatched(draft, room, view.sessionId, view.broadcastId, () => {
    if (view.newest) ofSession?.delete(view.broadcastId);
    endMoveOf(draft, room, view);
  });
  room.shunned.delete(view.id);
  if (ofSession?.size === 0) room.viewsBySession.delete(view.sessionId);
  draft.changes.views.remove(view.id);
  endClaimTime(draft, room, view);
  draft.changeSeats(room.row.id, view.broadcastId, view.workerId, -1);
  if (tellAgent) {
    draft.instruct(nodeIdOfWorker(view.workerId), {
      kind: "close-view",
      viewId: view.id,
      sessionId: view.sessionId,
    });
  }
  lingerIfUnwatched(draft, view.broadcastId, view.workerId);
  endIfCarried(draft, room, view.sessionId);
}

/** Views of one transport share a deadline: it ends with the last that waits. */
export function endClaimTime(draft: Draft, room: RoomState, view: ViewRow): void {
  const { sessionId, transportId } = view;
  const waiting = [...(room.viewsBySession.get(sessionId)?.values() ?? [])].some(
    (other) => other.transportId === transportId && other.state === "claimed",
  );
  if (!waiting) draft.clearDeadline("view-claim", transportId);
}

/** Gives back the seats of all who watch a broadcast; its rooms have to be loaded. */
export function releaseViewers(draft: Draft, broadcast: BroadcastState): void {
  for (const roomId of broadcast.rooms) {
    const room = draft.state.loadedRoom(roomId);
    for (const view of draft.state.viewsOf(roomId, broadcast.row.id)) {
      releaseView(draft, room, view, true);
    }
  }
  for (const row of [...draft.state.waiting]) {
    if (row.broadcastId === broadcast.row.id) dropWaiting(draft, row);
  }
}

/** Ends a broadcast in all its rooms, which have to be loaded and hear why, if given. */
export function endBroadcast(
  draft: Draft,
  broadcast: BroadcastState,
  why?: string,
): void {
  const { state } = draft;
  const { row } = broadcast;
  if (!state.broadcasts.delete(row.id)) return;
  for (const roomId of [...broadcast.rooms]) {
    const room = state.loadedRoom(roomId);
    hideBroadcast(draft, broadcast, room, false, why);
  }
  for (const pipe of [...state.picture.pipesOf(row.id)]) closePipe(draft, pipe);
  for (const trackId of broadcast.tracks.keys()) draft.changes.tracks.remove(trackId);
  draft.changes.broadcasts.remove(row.id);
  state.picture.dropBroadcast(row.id);
  draft.clearDeadline("resume", row.id);
  draft.clearDeadline("leave", row.id);
  const places = [row.workerId, row.otherWorkerId].filter((id) => id !== null);
  for (const workerId of places) {
    draft.touchWorker(workerId);
    freeIdleProducer(draft, row.homeRoomId, workerId);
  }
  for (const nodeId of new Set(places.map(nodeIdOfWorker))) {
    draft.instruct(nodeId, { kind: "close-broadcast", broadcastId: row.id });
  }
  draft.capacityAppeared();
  const home = state.rooms.get(row.homeRoomId);
  if (home) endIfCarried(draft, home, row.sessionId);
}

/** A session without a channel lives by its transport, and ends with what it carried. */
function endIfCarried(draft: Draft, room: RoomState, sessionId: string): void {
  const session = room.sessions.get(sessionId);
  if (session && session.carrier !== "channel") endSession(draft, room, session);
}

/**
 * Takes a broadcast out of one room: its viewers there give back their seats.
 * @param tellAgents false where closing the pipes tells them
 */
export function hideBroadcast(
  draft: Draft,
  broadcast: BroadcastState,
  room: RoomState,
  tellAgents: boolean,
  why?: string,
): void {
  const { id: broadcastId, mediaClass } = broadcast.row;
  const roomId = room.row.id;
  for (const view of draft.state.viewsOf(roomId, broadcastId)) {
    releaseView(draft, room, view, tellAgents);
  }
  for (const row of [...draft.state.waiting]) {
    if (row.roomId === roomId && row.broadcastId === broadcastId) dropWaiting(draft, row);
  }
  broadcast.rooms.delete(roomId);
  room.broadcasts.delete(broadcastId);
  draft.changes.broadcastRooms.remove(broadcastId, roomId);
  if (mediaClass === "camera") room.row.broadcastsLive -= 1;
  draft.touchRoom(room);
  if (broadcast.tracks.size > 0) {
    draft.emit(room, {
      type: "broadcast.stopped",
      broadcastId,
      ...(why && { reason: why }),
    });
  }
}

/** Ends a session: its broadcasts end, its views give back their seats. */
export function endSession(
  draft: Draft,
  room: RoomState,
  session: SessionRow,
  why?: string,
): void {
  const { state } = draft;
  // First of all: ending what it holds must not end it once more.
  if (!room.sessions.delete(session.id)) return;
  const nodes = new Set<string>();
  for (const broadcastId of [...room.broadcasts]) {
    const broadcast = state.broadcasts.get(broadcastId);
    if (broadcast?.row.sessionId !== session.id) continue;
    nodes.add(nodeIdOfWorker(broadcast.row.workerId));
    endBroadcast(draft, broadcast, why);
  }
  for (const row of [...state.waiting]) {
    if (row.sessionId === session.id) dropWaiting(draft, row);
  }
  for (const view of seatsOf(room, session.id)) {
    nodes.add(nodeIdOfWorker(view.workerId));
    releaseView(draft, room, view, false);
  }
  for (const nodeId of nodes) {
    draft.instruct(nodeId, { kind: "close-session", sessionId: session.id });
  }
  draft.clearDeadline("session-attach", session.id);
  draft.clearDeadline("session-grace", session.id);
  draft.detach(room, session);
  room.row.sessionsPresent -= 1;
  const use = draft.accountUse(room.row.accountId);
  use.sessionsPresent -= 1;
  draft.touchAccount(use);
  draft.changes.sessions.remove(session.id);
  draft.emit(room, { type: "session.left", sessionId: session.id });
}

/** Ends all sessions of an identity in a room. @returns their ids */
export function endSessionsOf(draft: Draft, room: RoomState, identity: string): string[] {
  const gone = [...room.sessions.values()].filter((one) => one.identity === identity);
  for (const session of gone) endSession(draft, room, session);
  return gone.map(({ id }) => id);
}
