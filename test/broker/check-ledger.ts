import type { Client } from "@libsql/client/web";
import type { Settings } from "#schema/settings.ts";

/*
 * What has to hold in the database whatever happened, in SQL of its own: it
 * shares no line with the code that it judges. Each query returns what is wrong.
 */

const marks = {
  "a worker is over a mark": `SELECT id FROM worker
    WHERE points_used NOT BETWEEN 0 AND points_total
      OR broadcasts_used NOT BETWEEN 0 AND broadcasts_total
      OR legs_used NOT BETWEEN 0 AND legs_total`,
  "a node is over its bandwidth": `SELECT id FROM node
    WHERE egress_used_kbps NOT BETWEEN 0 AND egress_kbps
      OR ingress_used_kbps NOT BETWEEN 0 AND ingress_kbps`,
  "a room is over its tier": `SELECT id FROM room
    WHERE sessions_present NOT BETWEEN 0 AND sessions_max
      OR broadcasts_live NOT BETWEEN 0 AND broadcasts_max`,
};

const totals = {
  "a slot's viewers are not its views": `SELECT * FROM slot WHERE viewers <>
    (SELECT count(*) FROM "view" v WHERE v.broadcast_id = slot.broadcast_id
      AND v.worker_id = slot.worker_id AND v.room_id = slot.room_id)`,
  "a view has no slot": `SELECT v.id FROM "view" v LEFT JOIN slot s
    ON s.broadcast_id = v.broadcast_id AND s.worker_id = v.worker_id
      AND s.room_id = v.room_id WHERE s.viewers IS NULL`,
  "a slot's points are not its viewers' weight": `SELECT slot.* FROM slot
    JOIN worker ON worker.id = slot.worker_id JOIN kbps ON kbps.class = media_class
    WHERE slot.seats <> kbps.seats
      OR slot.points <> (slot.viewers + kbps.seats - 1) / kbps.seats`,
  "a worker's points are not its rooms'": `SELECT w.id, w.points_used FROM worker w
    WHERE w.points_used <> (SELECT coalesce(sum(max(used, kept)), 0) FROM (
      SELECT sum(used) AS used, sum(kept) AS kept FROM (
        SELECT room_id, points AS used, 0 AS kept FROM slot WHERE worker_id = w.id
        UNION ALL
        SELECT room_id, 0, points FROM reservation WHERE worker_id = w.id)
      GROUP BY room_id))`,
  "a worker's broadcasts are not its rows": `SELECT w.id FROM worker w
    WHERE w.broadcasts_used <>
      (SELECT count(*) FROM broadcast b WHERE b.worker_id = w.id)
      + (SELECT count(*) FROM broadcast b WHERE b.other_worker_id = w.id)`,
  "a worker's legs are not its pipes'": `SELECT w.id FROM worker w
    WHERE w.legs_used <> (SELECT coalesce(sum(legs), 0) FROM fed
      WHERE producer_worker_id = w.id)`,
  "a node's egress is not its views and pipes": `SELECT n.id, n.egress_used_kbps
    FROM node n WHERE n.egress_used_kbps <>
      (SELECT coalesce(sum(k.view), 0) FROM "view" v
        JOIN worker w ON w.id = v.worker_id JOIN kbps k ON k.class = w.media_class
        WHERE w.node_id = n.id)
      + (SELECT coalesce(sum(k.leg), 0) FROM fed
        JOIN worker p ON p.id = producer_worker_id
        JOIN worker c ON c.id = consumer_worker_id
        JOIN kbps k ON k.class = p.media_class
        WHERE p.node_id = n.id AND c.node_id <> n.id)`,
  "a node's ingress is not its broadcasts and pipes": `SELECT n.id, n.ingress_used_kbps
    FROM node n WHERE n.ingress_used_kbps <>
      (SELECT coalesce(sum(k.leg), 0) FROM broadcast b
        JOIN worker w ON w.id IN (b.worker_id, b.other_worker_id)
        JOIN kbps k ON k.class = b.media_class
        WHERE w.node_id = n.id)
      + (SELECT coalesce(sum(k.leg), 0) FROM fed
        JOIN worker p ON p.id = producer_worker_id
        JOIN worker c ON c.id = consumer_worker_id
        JOIN kbps k ON k.class = c.media_class
        WHERE c.node_id = n.id AND p.node_id <> n.id)`,
  "a room's sessions are not its rows": `SELECT r.id FROM room r
    WHERE r.sessions_present <> (SELECT count(*) FROM session WHERE room_id = r.id)`,
  "a room's broadcasts are not its cameras": `SELECT r.id FROM room r
    WHERE r.broadcasts_live <> (SELECT count(*) FROM broadcast_room br
      JOIN broadcast b ON b.id = br.broadcast_id
      WHERE br.room_id = r.id AND b.media_class = 'camera')`,
  "an account's counters are not what its rooms hold": `SELECT a.account_id, a.rooms_open,
      a.sessions_present, a.points_reserved, a.cameras_watched, a.screens_watched
    FROM account_use a
    WHERE a.rooms_open <>
        (SELECT count(*) FROM room r WHERE r.account_id = a.account_id AND r.state = 'open')
      OR a.sessions_present <> (SELECT count(*) FROM session s JOIN room r
        ON r.id = s.room_id WHERE r.account_id = a.account_id)
      OR a.points_reserved <> (SELECT coalesce(sum(k.points), 0) FROM reservation k
        JOIN room r ON r.id = k.room_id WHERE r.account_id = a.account_id)
      OR a.cameras_watched <> (SELECT count(*) FROM watched
        WHERE account_id = a.account_id AND media_class = 'camera')
      OR a.screens_watched <> (SELECT count(*) FROM watched
        WHERE account_id = a.account_id AND media_class = 'screen')`,
  "an account with rooms has no counters": `SELECT r.id FROM room r
    LEFT JOIN account_use a ON a.account_id = r.account_id WHERE a.account_id IS NULL`,
};

const holders = {
  "a view is held by nobody alive": `SELECT v.id FROM "view" v
    LEFT JOIN session s ON s.id = v.session_id AND s.room_id = v.room_id
    LEFT JOIN broadcast_room br
      ON br.broadcast_id = v.broadcast_id AND br.room_id = v.room_id
    LEFT JOIN room r ON r.id = v.room_id AND r.state = 'open'
    WHERE s.id IS NULL OR br.room_id IS NULL OR r.id IS NULL`,
  "a view is on a worker that cannot serve it": `SELECT v.id FROM "view" v
    JOIN broadcast b ON b.id = v.broadcast_id
    LEFT JOIN worker w ON w.id = v.worker_id
    LEFT JOIN node n ON n.id = w.node_id
    WHERE w.id IS NULL OR w.role <> 'consumer' OR NOT w.present
      OR w.media_class <> b.media_class OR n.state = 'gone'`,
  "a session has two newest views of a broadcast, or only an older one": `SELECT
    session_id, broadcast_id FROM "view" GROUP BY session_id, broadcast_id
    HAVING sum(newest) <> 1`,
  "an older view is in no move": `SELECT v.id FROM "view" v
    LEFT JOIN move m ON m.view_id = v.id WHERE NOT v.newest AND m.view_id IS NULL`,
  "a move does not join two views of one session and broadcast": `SELECT m.* FROM move m
    LEFT JOIN "view" o ON o.id = m.view_id AND NOT o.newest
      AND o.session_id = m.session_id AND o.broadcast_id = m.broadcast_id
    LEFT JOIN "view" n ON n.id = m.to_view_id AND n.newest
      AND n.session_id = m.session_id AND n.broadcast_id = m.broadcast_id
    LEFT JOIN deadline d ON d.kind = 'move' AND d.key = m.view_id
    WHERE o.id IS NULL OR n.id IS NULL OR d.key IS NULL OR o.worker_id = n.worker_id`,
  "somebody waits for what they watch, or for what is not there": `SELECT w.session_id
    FROM waiting w
    LEFT JOIN session s ON s.id = w.session_id AND s.room_id = w.room_id
    LEFT JOIN broadcast_room br
      ON br.broadcast_id = w.broadcast_id AND br.room_id = w.room_id
    LEFT JOIN "view" v
      ON v.session_id = w.session_id AND v.broadcast_id = w.broadcast_id
    WHERE s.id IS NULL OR br.room_id IS NULL OR v.id IS NOT NULL`,
  "somebody waits untold, and nobody will look": `SELECT session_id FROM waiting
    WHERE NOT told AND NOT EXISTS (SELECT 1 FROM deadline WHERE kind = 'waiting')`,
  "a session watches itself": `SELECT v.id FROM "view" v
    JOIN broadcast b ON b.id = v.broadcast_id WHERE b.session_id = v.session_id`,
  "a transport belongs to two": `SELECT transport_id FROM "view" GROUP BY transport_id
    HAVING count(DISTINCT worker_id) > 1 OR count(DISTINCT session_id) > 1`,
  "a broadcast is on a worker that cannot take it": `SELECT b.id FROM broadcast b
    LEFT JOIN worker w ON w.id = b.worker_id
    LEFT JOIN node n ON n.id = w.node_id
    WHERE b.state <> 'interrupted' AND (w.id IS NULL OR w.role <> 'producer'
      OR NOT w.present OR w.media_class <> b.media_class OR n.state = 'gone')`,
  "a broadcast has the wrong number of places, or no deadline": `SELECT b.id, b.state
    FROM broadcast b
    WHERE (b.state IN ('moving', 'leaving')) <> (b.other_worker_id IS NOT NULL)
      OR b.other_worker_id = b.worker_id
      OR (b.state IN ('interrupted', 'moving') AND NOT EXISTS
        (SELECT 1 FROM deadline d WHERE d.kind = 'resume' AND d.key = b.id))
      OR (b.state = 'leaving' AND NOT EXISTS
        (SELECT 1 FROM deadline d WHERE d.kind = 'leave' AND d.key = b.id))`,
  "a live broadcast has a track elsewhere": `SELECT b.id FROM broadcast b
    JOIN track t ON t.broadcast_id = b.id
    WHERE b.state IN ('live', 'leaving') AND t.transport_id <> b.transport_id`,
  "a broadcast is held by nobody alive": `SELECT b.id FROM broadcast b
    LEFT JOIN session s ON s.id = b.session_id AND s.room_id = b.home_room_id
    LEFT JOIN broadcast_room br
      ON br.broadcast_id = b.id AND br.room_id = b.home_room_id
    LEFT JOIN room r ON r.id = b.home_room_id AND r.state = 'open'
    WHERE s.id IS NULL OR br.room_id IS NULL OR r.id IS NULL`,
  "a session has two cameras": `SELECT session_id FROM broadcast
    WHERE media_class = 'camera' GROUP BY session_id HAVING count(*) > 1`,
  "a dedicated worker serves another room": `SELECT b.id FROM broadcast b
    JOIN worker w ON w.id = b.worker_id
    WHERE w.dedicated_to IS NOT NULL AND w.dedicated_to <> b.home_room_id`,
  "a worker is dedicated to a room that does not use it": `SELECT w.id FROM worker w
    LEFT JOIN room r ON r.id = w.dedicated_to AND r.state = 'open'
    WHERE w.dedicated_to IS NOT NULL
      AND (r.id IS NULL OR (w.broadcasts_used = 0 AND NOT r.reserve))`,
  "points are reserved by a room that may not": `SELECT k.* FROM reservation k
    LEFT JOIN room r ON r.id = k.room_id AND r.state = 'open' AND r.reserve
    LEFT JOIN worker w ON w.id = k.worker_id AND w.role = 'consumer' AND w.present
    WHERE r.id IS NULL OR w.id IS NULL`,
  "a closed room holds something": `SELECT r.id FROM room r WHERE r.state = 'closed'
    AND (EXISTS (SELECT 1 FROM session WHERE room_id = r.id)
      OR EXISTS (SELECT 1 FROM broadcast_room WHERE room_id = r.id)
      OR EXISTS (SELECT 1 FROM slot WHERE room_id = r.id)
      OR EXISTS (SELECT 1 FROM reservation WHERE room_id = r.id))`,
};

const pipes = {
  "a pipe is held by nobody alive": `SELECT p.* FROM pipe p
    LEFT JOIN broadcast b ON b.id = p.broadcast_id AND b.worker_id = p.producer_worker_id
    LEFT JOIN worker w ON w.id = p.consumer_worker_id AND w.role = 'consumer' AND w.present
    WHERE b.id IS NULL OR w.id IS NULL`,
  "a pipe that does not linger has no view": `SELECT p.* FROM pipe p
    WHERE p.state <> 'lingering' AND NOT EXISTS (SELECT 1 FROM "view" v
      WHERE v.broadcast_id = p.broadcast_id AND v.worker_id = p.consumer_worker_id)`,
  "a lingering pipe has a view or no deadline": `SELECT p.* FROM pipe p
    WHERE p.state = 'lingering' AND (EXISTS (SELECT 1 FROM "view" v
        WHERE v.broadcast_id = p.broadcast_id AND v.worker_id = p.consumer_worker_id)
      OR NOT EXISTS (SELECT 1 FROM deadline d WHERE d.kind = 'pipe-linger'
        AND d.key = p.broadcast_id || ' ' || p.consumer_worker_id))`,
  "an active view has no open pipe, and none that opens anew": `SELECT v.id
    FROM "view" v LEFT JOIN pipe p
    ON p.broadcast_id = v.broadcast_id AND p.consumer_worker_id = v.worker_id
    WHERE v.state = 'active' AND p.state IS NOT 'open'
      AND (p.state IS NOT 'opening' OR p.old_generation IS NULL)`,
  "an old generation is never closed": `SELECT p.* FROM pipe p
    JOIN broadcast b ON b.id = p.broadcast_id
    WHERE p.old_generation IS NOT NULL AND b.state <> 'interrupted' AND NOT EXISTS
      (SELECT 1 FROM deadline d WHERE d.kind = 'leave' AND d.key = b.id)`,
  "a pipe is fed by a worker that its broadcast has left": `SELECT p.* FROM pipe p
    JOIN broadcast b ON b.id = p.broadcast_id
    WHERE p.old_producer_worker_id IS NOT NULL
      AND p.old_producer_worker_id IS NOT b.other_worker_id`,
  "a claimed view has no pipe or no deadline": `SELECT v.id FROM "view" v LEFT JOIN pipe p
    ON p.broadcast_id = v.broadcast_id AND p.consumer_worker_id = v.worker_id
    WHERE v.state = 'claimed' AND (p.state IS NULL OR p.state = 'lingering'
      OR NOT EXISTS (SELECT 1 FROM deadline d
        WHERE d.kind = 'view-claim' AND d.key = v.transport_id))`,
  "a pipe generation is above the zone's": `SELECT p.* FROM pipe p
    JOIN zone z WHERE p.generation > z.pipe_generation`,
};

const journals = {
  "a session without a channel has no deadline": `SELECT s.id FROM session s
    WHERE NOT s.attached AND s.carrier = 'channel' AND NOT EXISTS (SELECT 1 FROM deadline d
      WHERE d.kind IN ('session-attach', 'session-grace') AND d.key = s.id)`,
  "a session lives by a transport that is not there": `SELECT s.id FROM session s
    WHERE s.carrier <> 'channel'
      AND NOT EXISTS (SELECT 1 FROM broadcast b WHERE b.session_id = s.id)
      AND NOT EXISTS (SELECT 1 FROM view v WHERE v.session_id = s.id)`,
  "a stream of events has a gap": `SELECT s.id, s.event_seq FROM
      (SELECT id, event_seq FROM room UNION ALL SELECT id, event_seq FROM session
        UNION ALL SELECT id, event_seq FROM node) s
    WHERE s.event_seq <> (SELECT count(*) FROM event e WHERE e.stream_id = s.id)
      OR s.event_seq <>
        (SELECT coalesce(max(seq), 0) FROM event e WHERE e.stream_id = s.id)`,
  "an instruction is above its node's last": `SELECT o.node_id, o.seq FROM outbox o
    LEFT JOIN node n ON n.id = o.node_id WHERE n.id IS NULL OR o.seq > n.outbox_seq`,
  "a row refers to one that is not there": "SELECT * FROM pragma_foreign_key_check",
  "the guard's table is not empty": "SELECT * FROM batch_guard",
};

const rules = { ...marks, ...totals, ...holders, ...pipes, ...journals };

/** Whether a line of `checkLedger` tells of a mark that was passed. */
export function isOvershot(line: string): boolean {
  return Object.keys(marks).some((rule) => line.startsWith(rule));
}

/**
 * Judges a control database by its rows alone.
 * @returns what is wrong, a line each with the rows' first columns; empty where
 *   all holds
 */
export async function checkLedger(client: Client, settings: Settings): Promise<string[]> {
  const nominal = (["camera", "screen"] as const).map((media) => {
    const { view, leg } = settings.nominalKbps[media];
    return `('${media}', ${view}, ${leg}, ${settings.weight.seatsPerPoint[media]})`;
  });
  // Who feeds a pipe: its producer, and the one before where that still runs.
  const kbps = `WITH kbps(class, view, leg, seats) AS (VALUES ${nominal.join(", ")}),
    fed(broadcast_id, producer_worker_id, consumer_worker_id, legs) AS (
      SELECT broadcast_id, producer_worker_id, consumer_worker_id, legs FROM pipe
      UNION ALL
      SELECT broadcast_id, old_producer_worker_id, consumer_worker_id, legs FROM pipe
      WHERE old_producer_worker_id IS NOT NULL),
    watched(account_id, media_class) AS (
      SELECT r.account_id, b.media_class FROM (
        SELECT session_id, broadcast_id, room_id FROM "view"
        UNION
        SELECT session_id, broadcast_id, room_id FROM waiting) w
      JOIN room r ON r.id = w.room_id JOIN broadcast b ON b.id = w.broadcast_id)`;
  const results = await client.batch(
    Object.values(rules).map((sql) => `${kbps} ${sql}`),
    "read",
  );
  return Object.keys(rules).flatMap((rule, at) =>
    (results[at]?.rows ?? []).map((row) => `${rule}: ${Object.values(row).join(" ")}`),
  );
}
