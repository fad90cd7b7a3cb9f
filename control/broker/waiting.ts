import { countingWatched } from "./account-caps.ts";
import type { Draft } from "./draft.ts";
import type { RoomState, WaitingRow } from "./state.ts";

/** Puts somebody on the list of those who wait for a seat, or notes what changed. */
export function putWaiting(draft: Draft, row: WaitingRow): void {
  counting(draft, row, () => draft.state.waiting.put(row));
  draft.changes.waiting.put(row);
}

/** Takes somebody off the list. */
export function dropWaiting(draft: Draft, row: WaitingRow): void {
  counting(draft, row, () => draft.state.waiting.delete(row));
  draft.changes.waiting.remove(row.sessionId, row.broadcastId);
}

/** What a room's viewers rank by: who reserved first, then the higher tiers. */
export function rankOf({ row }: RoomState): number {
  return (row.reserve ? reservedRank : 0) + row.tier;
}

/** Above every tier. */
const reservedRank = 1000;

function counting(draft: Draft, row: WaitingRow, change: () => void): void {
  const { roomId, sessionId, broadcastId } = row;
  const room = draft.state.loadedRoom(roomId);
  countingWatched(draft, room, sessionId, broadcastId, change);
}
