import type { PlacedView, RefusedView } from "../placement/decision.ts";
import { releaseView } from "./claims.ts";
import type { Draft } from "./draft.ts";
import { claimPlaced, placeSeats } from "./seats.ts";
import type { RoomState, SessionRow, ViewRow, WaitingRow } from "./state.ts";
import { dropWaiting, putWaiting, rankOf } from "./waiting.ts";

/*
 * Another seat for a view that lost its own. The seats of all who lost theirs at
 * once are given back first; then they are served in order, as many as a commit
 * takes, and the rest by the alarms that follow. Whom nothing has room for waits.
 */

/** Why a view lost its seat, and what its viewer may hope for. */
export interface Loss {
  reason: string;
  /** How long the lost view's picture may run on, in milliseconds. */
  oldRunsMs?: number;
  /** The node that failed the view: others come first. */
  avoidNodeId?: string;
  /** Seats in a row that never connected, this one included. */
  tries?: number;
  /** False where the agent learns of it by a larger closing, or is gone. */
  tellAgent?: boolean;
}

/**
 * Takes a view's seat away; its session gets another by `serveWaiting`. Of a view
 * that moves, the other seat is what is left.
 */
export function loseSeat(draft: Draft, room: RoomState, view: ViewRow, loss: Loss): void {
  const moves = room.moves.has(view.id);
  releaseView(draft, room, view, loss.tellAgent ?? false);
  const session = room.sessions.get(view.sessionId);
  if (moves || !session) return;
  putWaiting(draft, {
    sessionId: view.sessionId,
    broadcastId: view.broadcastId,
    roomId: room.row.id,
    viewId: view.id,
    reason: loss.reason,
    oldRunsMs: loss.oldRunsMs ?? 0,
    told: false,
    avoidNodeId: loss.avoidNodeId ?? null,
    tries: loss.tries ?? view.tries,
    rank: rankOf(room),
    presentSinceMs: session.enteredAtMs,
  });
  draft.lookAtWaiting();
}

/**
 * Serves those who wait for a seat, in their order.
 * @param most how many to look at; the next alarm, which is at once, goes on
 * @returns how many were looked at
 */
export function serveWaiting(draft: Draft, most: number): number {
  const { waiting, rooms } = draft.state;
  // Rooms that nobody loaded for this request are the next alarm's.
  const rows = waiting.upcoming(most).filter((row) => rooms.has(row.roomId));
  for (const [sessionId, own] of Map.groupBy(rows, (row) => row.sessionId)) {
    const room = rooms.get(own[0]?.roomId ?? "");
    const session = room?.sessions.get(sessionId);
    if (room && session) serveSession(draft, room, session, own);
    else for (const row of own) dropWaiting(draft, row);
  }
  waiting.tried(rows);
  if (waiting.unfinished) draft.lookAtWaiting();
  else draft.clearDeadline("waiting", "");
  return rows.length;
}

function serveSession(
  draft: Draft,
  room: RoomState,
  session: SessionRow,
  rows: WaitingRow[],
): void {
  const wanted = rows.filter((row) => isWanted(draft, room, row));
  for (const row of rows) if (!wanted.includes(row)) dropWaiting(draft, row);
  const { picture } = draft.state;
  const avoid = new Set(
    wanted.flatMap((row) => [...picture.workersOnNode(row.avoidNodeId ?? "")]),
  );
  let refused = grantSeats(draft, room, session, wanted, avoid);
  if (refused.length > 0 && avoid.size > 0) {
    // A node that failed a view is the last choice for it, and better than none.
    const left = wanted.filter((row) =>
      refused.some(({ broadcastId }) => broadcastId === row.broadcastId),
    );
    refused = grantSeats(draft, room, session, left);
  }
  for (const { broadcastId, code } of refused) {
    const row = wanted.find((one) => one.broadcastId === broadcastId);
    if (!row || row.told) continue;
    row.told = true;
    putWaiting(draft, row);
    const { viewId, reason } = row;
    const lost = { type: "view.lost", viewId, broadcastId, reason, code } as const;
    draft.emitForSession(room, session.id, lost);
  }
}

/** Whether there still is something to watch, and the session does not yet. */
function isWanted(draft: Draft, room: RoomState, { sessionId, broadcastId }: WaitingRow) {
  const broadcast = draft.state.broadcasts.get(broadcastId);
  const live = room.broadcasts.has(broadcastId) && (broadcast?.tracks.size ?? 0) > 0;
  return live && !room.viewsBySession.get(sessionId)?.has(broadcastId);
}

/** Claims what seats there are; answers for whom there were none. */
function grantSeats(
  draft: Draft,
  room: RoomState,
  session: SessionRow,
  rows: WaitingRow[],
  avoid?: ReadonlySet<string>,
): RefusedView[] {
  const wanted = rows.map((row) => row.broadcastId);
  const { placed, refused } = placeSeats(draft, room, session, wanted, avoid);
  for (const one of placed) {
    const row = rows.find(({ broadcastId }) => broadcastId === one.broadcastId);
    if (row) grant(draft, room, session, row, one);
  }
  return refused;
}

function grant(
  draft: Draft,
  room: RoomState,
  session: SessionRow,
  row: WaitingRow,
  placed: PlacedView,
): void {
  dropWaiting(draft, row);
  const { id: toViewId } = claimPlaced(draft, room, session, placed, row.tries);
  const { viewId, broadcastId, reason, oldRunsMs } = row;
  draft.emitForSession(
    room,
    session.id,
    row.told
      ? { type: "view.granted", viewId: toViewId, broadcastId }
      : { type: "view.moved", viewId, toViewId, broadcastId, reason, oldRunsMs },
  );
}
