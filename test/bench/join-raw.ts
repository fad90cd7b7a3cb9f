import type { Client, InStatement, Transaction } from "@libsql/client/web";
import { newId, nodeIdOfWorker } from "#schema/ids.ts";
import type { Requester } from "./join-load.ts";

/*
 * What a join costs without a broker: each request is an interactive
 * transaction that looks, decides in the application and writes the same rows.
 */

interface Place {
  broadcastId: string;
  workerId: string;
  nodeId: string;
}

/** Joins and leaves by interactive transactions on the ledger's own tables. */
export function rawRequesters(
  client: Client,
  zone: string,
  rooms: readonly string[],
  count: number,
): Requester[] {
  return Array.from({ length: count }, (_, at) => {
    const roomId = rooms[at % rooms.length] as string;
    return async (timed) => {
      const sessionId = newId("session", zone);
      await timed(transact(client, (work) => enter(work, roomId, sessionId)));
      await timed(transact(client, (work) => claim(work, zone, roomId, sessionId)));
      await timed(transact(client, (work) => leave(work, roomId, sessionId)));
    };
  });
}

async function transact(client: Client, body: (work: Transaction) => Promise<void>) {
  const work = await client.transaction("write");
  try {
    await body(work);
    await work.commit();
  } finally {
    work.close();
  }
}

async function enter(work: Transaction, roomId: string, sessionId: string) {
  const seq = await nextSeq(work, roomId);
  await work.execute({
    sql: `INSERT INTO session (id, room_id, identity, can_publish, can_subscribe,
        room_admin, attached, entered_at_ms, event_seq)
      VALUES (?, ?, 'joiner', 1, 1, 0, 0, ?, 0)`,
    args: [sessionId, roomId, Date.now()],
  });
  await work.execute({
    sql: `UPDATE room SET sessions_present = sessions_present + 1, event_seq = ?
      WHERE id = ?`,
    args: [seq, roomId],
  });
  await work.execute(deadline("session-attach", sessionId, roomId));
  await work.execute(event(roomId, seq, { type: "session.joined", sessionId }));
}

async function claim(work: Transaction, zone: string, roomId: string, sessionId: string) {
  const places = await findPlaces(work, roomId);
  const transportId = newId("transport", zone);
  const rows = places.map(({ broadcastId, workerId }) => [
    newId("view", zone),
    broadcastId,
    workerId,
  ]);
  await work.execute({
    sql: `INSERT INTO "view" (id, room_id, session_id, broadcast_id, worker_id, state,
        transport_id, grounds, claimed_at_ms)
      SELECT value ->> 0, ?, ?, value ->> 1, value ->> 2, 'claimed', ?, '{}', ?
      FROM json_each(?)`,
    args: [roomId, sessionId, transportId, Date.now(), JSON.stringify(rows)],
  });
  await changeTotals(work, roomId, places, 1);
  await work.execute(deadline("view-claim", transportId, roomId));
}

async function leave(work: Transaction, roomId: string, sessionId: string) {
  const seq = await nextSeq(work, roomId);
  const { rows } = await work.execute({
    sql: 'SELECT broadcast_id, worker_id, transport_id FROM "view" WHERE session_id = ?',
    args: [sessionId],
  });
  const places = rows.map((row) => placeOf(row.broadcast_id, row.worker_id));
  await work.execute({
    sql: 'DELETE FROM "view" WHERE session_id = ?',
    args: [sessionId],
  });
  await changeTotals(work, roomId, places, -1);
  for (const nodeId of new Set(places.map((place) => place.nodeId))) {
    await work.execute({
      sql: "UPDATE node SET outbox_seq = outbox_seq + 1 WHERE id = ?",
      args: [nodeId],
    });
    await work.execute({
      sql: `INSERT INTO outbox (node_id, seq, instruction)
        SELECT id, outbox_seq, ? FROM node WHERE id = ?`,
      args: [JSON.stringify({ kind: "close-session", sessionId }), nodeId],
    });
  }
  const keys = [sessionId, ...rows.map((row) => String(row.transport_id))];
  await work.execute({
    sql: "DELETE FROM deadline WHERE key IN (SELECT value FROM json_each(?))",
    args: [JSON.stringify(keys)],
  });
  await work.execute({ sql: "DELETE FROM session WHERE id = ?", args: [sessionId] });
  await work.execute({
    sql: `UPDATE room SET sessions_present = sessions_present - 1, event_seq = ?
      WHERE id = ?`,
    args: [seq, roomId],
  });
  await work.execute(event(roomId, seq, { type: "session.left", sessionId }));
}

/** The next number of a room's events; a room that is full or closed takes nobody. */
async function nextSeq(work: Transaction, roomId: string): Promise<number> {
  const { rows } = await work.execute({
    sql: "SELECT event_seq + 1 AS seq FROM room WHERE id = ? AND state = 'open'",
    args: [roomId],
  });
  return Number(rows[0]?.seq);
}

/** A worker with a slot of each broadcast shown in the room. */
async function findPlaces(work: Transaction, roomId: string): Promise<Place[]> {
  const { rows } = await work.execute({
    sql: `SELECT slot.broadcast_id, slot.worker_id FROM slot
      JOIN worker ON worker.id = slot.worker_id
      WHERE slot.room_id = ?
        AND (slot.viewers < slot.points * slot.seats
          OR worker.points_used < worker.points_total)
      GROUP BY slot.broadcast_id`,
    args: [roomId],
  });
  return rows.map((row) => placeOf(row.broadcast_id, row.worker_id));
}

function placeOf(broadcastId: unknown, workerId: unknown): Place {
  const id = String(workerId);
  return { broadcastId: String(broadcastId), workerId: id, nodeId: nodeIdOfWorker(id) };
}

/** Adds one view to each slot, or takes it away, and brings the totals along. */
async function changeTotals(
  work: Transaction,
  roomId: string,
  places: readonly Place[],
  by: number,
) {
  const broadcastIds = JSON.stringify(places.map((place) => place.broadcastId));
  await work.execute({
    sql: `UPDATE slot SET viewers = viewers + ?1,
        points = (viewers + ?1 + seats - 1) / seats
      WHERE room_id = ?2 AND broadcast_id IN (SELECT value FROM json_each(?3))`,
    args: [BigInt(by), roomId, broadcastIds],
  });
  const workerIds = JSON.stringify([...new Set(places.map((place) => place.workerId))]);
  await work.execute({
    sql: `UPDATE worker SET points_used =
        (SELECT coalesce(sum(points), 0) FROM slot WHERE slot.worker_id = worker.id)
      WHERE id IN (SELECT value FROM json_each(?))`,
    args: [workerIds],
  });
  const nodeIds = JSON.stringify([...new Set(places.map((place) => place.nodeId))]);
  await work.execute({
    sql: `UPDATE node SET egress_used_kbps = egress_used_kbps + ?
      WHERE id IN (SELECT value FROM json_each(?))`,
    args: [BigInt(by * 880 * places.length), nodeIds],
  });
}

function deadline(kind: string, key: string, roomId: string): InStatement {
  return {
    sql: "INSERT INTO deadline (kind, key, room_id, due_at_ms) VALUES (?, ?, ?, ?)",
    args: [kind, key, roomId, Date.now() + 15_000],
  };
}

function event(roomId: string, seq: number, what: unknown): InStatement {
  return {
    sql: `INSERT INTO event (stream_id, room_id, seq, at_ms, event)
      VALUES (?1, ?1, ?2, ?3, ?4)`,
    args: [roomId, seq, Date.now(), JSON.stringify(what)],
  };
}
