import type { Draft } from "./draft.ts";
import type { MoveRow, RoomState, ViewRow } from "./state.ts";

/*
 * A view that moves holds two seats, and one row names both. The move ends with
 * either of them: with the old one it has switched, with the new one it was
 * aborted, and the view is again the one in the old seat.
 */

/** Every seat that a session holds, old ones of moving views included. */
export function seatsOf(room: RoomState, sessionId: string): ViewRow[] {
  const newest = [...(room.viewsBySession.get(sessionId)?.values() ?? [])];
  return newest.flatMap((view) => {
    const move = room.moves.get(view.id);
    const old = move && room.views.get(move.viewId);
    return old && old !== view ? [view, old] : [view];
  });
}

/** Records that a view's session has another seat now, and keeps both until it is there. */
export function beginMove(
  draft: Draft,
  room: RoomState,
  old: ViewRow,
  next: ViewRow,
  reason: string,
): void {
  const row: MoveRow = {
    viewId: old.id,
    toViewId: next.id,
    roomId: room.row.id,
    sessionId: old.sessionId,
    broadcastId: old.broadcastId,
    reason,
    startedAtMs: draft.nowMs,
  };
  for (const id of [row.viewId, row.toViewId]) room.moves.set(id, row);
  draft.changes.moves.put(row);
  const { oldRunsMs } = draft.settings.moves;
  draft.setDeadline("move", old.id, room.row.id, oldRunsMs);
  draft.emitForSession(room, old.sessionId, {
    type: "view.moved",
    viewId: old.id,
    toViewId: next.id,
    broadcastId: old.broadcastId,
    reason,
    oldRunsMs,
  });
}

/** Ends the move of a view whose seat, old or new, was just given back. */
export function endMoveOf(draft: Draft, room: RoomState, gone: ViewRow): void {
  const move = room.moves.get(gone.id);
  if (!move) return;
  for (const id of [move.viewId, move.toViewId]) room.moves.delete(id);
  draft.changes.moves.remove(move.viewId);
  draft.clearDeadline("move", move.viewId);
  const old = room.views.get(move.viewId);
  if (!old) return;
  old.newest = true;
  room.viewsBySession.get(old.sessionId)?.set(old.broadcastId, old);
  draft.changes.views.put(old);
}
