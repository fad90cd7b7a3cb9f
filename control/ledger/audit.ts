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
  WHERE coalesce((SELECT viewers FROM slot
      WHERE slot.broadcast_id = touched.value ->> 0
        AND slot.worker_id = touched.value ->> 1
        AND slot.room_id = touched.value ->> 2), 0)
    <> (SELECT count(*) FROM "view"
      WHERE "view".broadcast_id = touched.value ->> 0
        AND "view".worker_id = touched.value ->> 1
        AND "view".room_id = touched.value ->> 2)
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
      + (SELECT count(*) FROM broadcast WHERE broadcast.other_worker_id = worker.id)
    OR worker.legs_used <>
      (SELECT coalesce(sum(legs), 0) FROM pipe WHERE pipe.producer_worker_id = worker.id)
      + (SELECT coalesce(sum(legs), 0) FROM pipe
          WHERE pipe.old_producer_worker_id = worker.id)
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

/** Slots that changed or went, and those that a changed view should be in. */
function slotsTouched(changes: Changes): string[][] {
  const slots = new Map<string, string[]>();
  const touch = (key: string[]) => slots.set(key.join("|"), key);
  for (const key of changes.slots.keysPut()) touch(key);
  for (const key of changes.slots.keysRemoved()) touch(key);
  for (const view of changes.views.rowsPut()) {
    touch([view.broadcastId, view.workerId, view.roomId]);
  }
  return [...slots.values()];
}

/** The audits that a commit's changes call for; none where no total changed. */
export function auditStatements(changes: Changes): InStatement[] {
  const audits: [string, string[][]][] = [
    [slotSql, slotsTouched(changes)],
    [workerSql, changes.workers.keysPut()],
    [roomSql, changes.rooms.keysPut()],
  ];
  return audits
    .filter(([, keys]) => keys.length > 0)
    .map(([sql, keys]) => ({ sql, args: [JSON.stringify(keys)] }));
}
