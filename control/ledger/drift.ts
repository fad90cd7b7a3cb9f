import type { Client } from "@libsql/client/web";
import { accountDrift } from "./account-use.ts";

/** A total that is not the sum of its rows. */
export interface Drift {
  what: string;
  /** What it is a total of: a worker, a room, an account, or a slot's three ids. */
  id: string;
  counted: number;
  rows: number;
}

/*
 * Every total of the ledger, recomputed from the rows that hold it: `id`,
 * `counted` and `rows`, where they differ.
 */
const totals: Record<string, string> = {
  "slot.viewers": `SELECT slot.broadcast_id || ' ' || slot.worker_id || ' ' || slot.room_id
      AS id, slot.viewers AS counted, (SELECT count(*) FROM "view"
        WHERE "view".broadcast_id = slot.broadcast_id
          AND "view".worker_id = slot.worker_id AND "view".room_id = slot.room_id) AS rows
    FROM slot WHERE counted <> rows`,
  "view.slot": `SELECT "view".id AS id, 0 AS counted, 1 AS rows FROM "view"
    LEFT JOIN slot ON slot.broadcast_id = "view".broadcast_id
      AND slot.worker_id = "view".worker_id AND slot.room_id = "view".room_id
    WHERE slot.viewers IS NULL`,
  "worker.points": `SELECT worker.id AS id, worker.points_used AS counted,
      (SELECT coalesce(sum(points), 0) FROM slot WHERE slot.worker_id = worker.id)
      + (SELECT coalesce(sum(max(0, reservation.points - (
            SELECT coalesce(sum(slot.points), 0) FROM slot
            WHERE slot.worker_id = worker.id AND slot.room_id = reservation.room_id))), 0)
          FROM reservation WHERE reservation.worker_id = worker.id) AS rows
    FROM worker WHERE counted <> rows`,
  "worker.broadcasts": `SELECT worker.id AS id, worker.broadcasts_used AS counted,
      (SELECT count(*) FROM broadcast WHERE broadcast.worker_id = worker.id)
      + (SELECT count(*) FROM broadcast WHERE broadcast.other_worker_id = worker.id) AS rows
    FROM worker WHERE counted <> rows`,
  "worker.legs": `SELECT worker.id AS id, worker.legs_used AS counted,
      (SELECT coalesce(sum(legs), 0) FROM pipe
        WHERE pipe.producer_worker_id = worker.id)
      + (SELECT coalesce(sum(legs), 0) FROM pipe
        WHERE pipe.old_producer_worker_id = worker.id) AS rows
    FROM worker WHERE counted <> rows`,
  "room.sessions": `SELECT room.id AS id, room.sessions_present AS counted,
      (SELECT count(*) FROM session WHERE session.room_id = room.id) AS rows
    FROM room WHERE counted <> rows`,
  "room.broadcasts": `SELECT room.id AS id, room.broadcasts_live AS counted,
      (SELECT count(*) FROM broadcast_room
        WHERE broadcast_room.room_id = room.id AND broadcast_room.counted) AS rows
    FROM room WHERE counted <> rows`,
  ...accountDrift,
};

/** Rows that each total tells of at most. */
const mostRows = 100;

/**
 * Recomputes every total from its rows, in one consistent look that holds up no
 * commit.
 * @returns what differs, which must be nothing
 */
export async function findDrift(client: Client): Promise<Drift[]> {
  const sql = Object.values(totals).map((total) => `${total} LIMIT ${mostRows}`);
  const results = await client.batch(sql, "read");
  return Object.keys(totals).flatMap((what, at) =>
    (results[at]?.rows ?? []).map((row) => ({
      what,
      id: String(row.id),
      counted: Number(row.counted),
      rows: Number(row.rows),
    })),
  );
}
