import type { Draft } from "./draft.ts";
import type { RoomState, ViewRow } from "./state.ts";

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
