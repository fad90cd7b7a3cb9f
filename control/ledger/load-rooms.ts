import type { Client } from "@libsql/client/web";
import { inArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/web";
import { idempotency } from "#schema/control/journal.ts";
import {
  ban,
  broadcast,
  broadcastRoom,
  room,
  session,
  track,
} from "#schema/control/rooms.ts";
import { move, view } from "#schema/control/views.ts";
import { emptyRoom } from "../broker/decide/rooms.ts";
import type { ZoneState } from "../broker/state.ts";

/**
 * Loads rooms into the state, all in one round trip. Safe without a lock: only
 * the broker writes, and it touches no room before it is loaded. What is not there
 * is passed over.
 */
export async function loadRooms(
  client: Client,
  state: ZoneState,
  roomIds: readonly string[],
  nowMs: number,
): Promise<void> {
  const db = drizzle(client);
  const ids = roomIds.filter((id) => !state.rooms.has(id));
  if (ids.length === 0) return;
  const shown = db
    .select({ id: broadcastRoom.broadcastId })
    .from(broadcastRoom)
    .where(inArray(broadcastRoom.roomId, ids));
  const [rooms, sessions, broadcasts, shownIn, tracks, views, moves, keys, bans] =
    await db.batch([
      db.select().from(room).where(inArray(room.id, ids)),
      db.select().from(session).where(inArray(session.roomId, ids)),
      db.select().from(broadcast).where(inArray(broadcast.id, shown)),
      db.select().from(broadcastRoom).where(inArray(broadcastRoom.broadcastId, shown)),
      db.select().from(track).where(inArray(track.broadcastId, shown)),
      db.select().from(view).where(inArray(view.roomId, ids)),
      db.select().from(move).where(inArray(move.roomId, ids)),
      db.select().from(idempotency).where(inArray(idempotency.roomId, ids)),
      db.select().from(ban).where(inArray(ban.roomId, ids)),
    ]);
  for (const row of rooms) state.rooms.set(row.id, emptyRoom(row, nowMs));
  for (const row of sessions) state.rooms.get(row.roomId)?.sessions.set(row.id, row);
  for (const row of broadcasts) {
    // Another of its rooms may be resident, with changes newer than any read.
    if (state.broadcasts.has(row.id)) continue;
    state.broadcasts.set(row.id, { row, tracks: new Map(), rooms: new Set() });
  }
  for (const { broadcastId, roomId } of shownIn) {
    state.broadcasts.get(broadcastId)?.rooms.add(roomId);
    if (ids.includes(roomId)) state.rooms.get(roomId)?.broadcasts.add(broadcastId);
  }
  for (const row of tracks) {
    const tracksOf = state.broadcasts.get(row.broadcastId)?.tracks;
    if (!tracksOf?.has(row.id)) tracksOf?.set(row.id, row);
  }
  for (const row of views) {
    const into = state.rooms.get(row.roomId);
    into?.views.set(row.id, row);
    if (!row.newest) continue;
    const ofSession = into?.viewsBySession.get(row.sessionId);
    if (ofSession) ofSession.set(row.broadcastId, row);
    else into?.viewsBySession.set(row.sessionId, new Map([[row.broadcastId, row]]));
  }
  for (const row of moves) {
    const { viewId, toViewId } = row;
    for (const id of [viewId, toViewId]) state.rooms.get(row.roomId)?.moves.set(id, row);
  }
  for (const { roomId, identity } of bans) state.rooms.get(roomId)?.bans.add(identity);
  for (const row of keys) state.rooms.get(row.roomId)?.keys.set(row.key, row);
}
