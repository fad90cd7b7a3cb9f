import type { InStatement } from "@libsql/client/web";
import type { Changes } from "./changes.ts";

/*
 * The CHECKs keep every total under its mark; these keep every total equal to
 * the sum of its rows. Each inserts a zero into `batch_guard`, which only takes
 * ones, where a row that the commit touched does not add up: then nothing of
 * the commit lands.
 */

const slotSql = `INSERT INTO batch_guard (ok)
  SELECT 0 FROM json_each(?) AS touched
  JOIN slot ON slot.broadcast_id = touched.value ->> 0
    AND slot.worker_id = touched.value ->> 1 AND slot.room_id = touched.value ->> 2
  WHERE slot.viewers <> (SELECT count(*) FROM "view"
    WHERE "view".broadcast_id = slot.broadcast_id
      AND "view".worker_id = slot.worker_id AND "view".room_id = slot.room_id)
  LIMIT 1`;

const workerSql = `INSERT INTO batch_guard (ok)
  SELECT 0 FROM json_each(?) AS touched
  JOIN worker ON worker.id = touched.value ->> 0
  WHERE worker.points_used <>
      (SELECT coalesce(sum(points), 0) FROM slot WHERE slot.worker_id = worker.id)
      + (SELECT coalesce(sum(max(0, reservation.points - (
            SELECT coalesce(sum(slot.points), 0) FROM slot
            WHERE slot.worker_id = worker.id AND slot.room_id = reservation.room_id))), 0)
          FROM reservation WHERE reservation.worker_id = worker.id)
    OR worker.broadcasts_used <>
      (SELECT count(*) FROM broadcast WHERE broadcast.worker_id = worker.id)
    OR worker.legs_used <>
      (SELECT coalesce(sum(legs), 0) FROM pipe WHERE pipe.producer_worker_id = worker.id)
  LIMIT 1`;

const roomSql = `INSERT INTO batch_guard (ok)
  SELECT 0 FROM json_each(?) AS touched
  JOIN room ON room.id = touched.value ->> 0
  WHERE room.sessions_present <>
      (SELECT count(*) FROM session WHERE session.room_id = room.id)
    OR room.broadcasts_live <>
      (SELECT count(*) FROM broadcast_room
        WHERE broadcast_room.room_id = room.id AND broadcast_room.counted)
  LIMIT 1`;

/** The audits that a commit's changes call for; none where no total changed. */
export function auditStatements(changes: Changes): InStatement[] {
  const audits: [string, string[][]][] = [
    [slotSql, changes.slots.keysPut()],
    [workerSql, changes.workers.keysPut()],
    [roomSql, changes.rooms.keysPut()],
  ];
  return audits
    .filter(([, keys]) => keys.length > 0)
    .map(([sql, keys]) => ({ sql, args: [JSON.stringify(keys)] }));
}
