import type { Client, InStatement } from "@libsql/client/web";
import type { InferSelectModel } from "drizzle-orm";
import type { accountUse } from "#schema/control/accounts.ts";
import type { Changes } from "./changes.ts";

export type AccountUse = InferSelectModel<typeof accountUse>;

/*
 * What accounts hold. A commit takes the rows that it touches out of the counters
 * before it changes them, and puts them in again afterwards: the database counts
 * by itself, in time that grows with the commit and not with the account. Then the
 * broker's own count has to be the same, or nothing of the commit lands.
 */

/** What is held, a row each: whose, and what it counts as. */
interface Sources {
  rooms: string;
  sessions: string;
  reservations: string;
  views: string;
  waiting: string;
}

const parts: Record<keyof Sources, (from: string) => string> = {
  rooms: (from) => `SELECT room.account_id AS account_id, 1 AS rooms, 0 AS sessions,
      0 AS points, 0 AS cameras, 0 AS screens
    FROM ${from} WHERE room.state = 'open'`,
  sessions: (from) => `SELECT room.account_id, 0, 1, 0, 0, 0
    FROM ${from} JOIN room ON room.id = session.room_id`,
  reservations: (from) => `SELECT room.account_id, 0, 0, reservation.points, 0, 0
    FROM ${from} JOIN room ON room.id = reservation.room_id`,
  views: (from) => `SELECT room.account_id, 0, 0, 0, media_class = 'camera',
      media_class = 'screen'
    FROM ${from} JOIN room ON room.id = "view".room_id
      JOIN broadcast ON broadcast.id = "view".broadcast_id
    WHERE "view".newest`,
  waiting: (from) => `SELECT room.account_id, 0, 0, 0, media_class = 'camera',
      media_class = 'screen'
    FROM ${from} JOIN room ON room.id = waiting.room_id
      JOIN broadcast ON broadcast.id = waiting.broadcast_id`,
};

/** Rooms come first, as they name the columns. */
const heldBy = (from: { rooms: string } & Partial<Sources>) =>
  Object.entries(from)
    .map(([what, source]) => parts[what as keyof Sources](source))
    .join("\n  UNION ALL\n  ");

const summed = `account_id, sum(rooms) AS rooms, sum(sessions) AS sessions,
  sum(points) AS points, sum(cameras) AS cameras, sum(screens) AS screens`;

const heldAtAll = heldBy({
  rooms: "room",
  sessions: "session",
  reservations: "reservation",
  views: '"view"',
  waiting: "waiting",
});

/** Rows with the keys of a JSON list; the list comes first, so that indexes serve. */
const touched = (table: string, ...keys: string[]) =>
  `json_each(?) AS touched CROSS JOIN ${table} ON ${keys
    .map((key, at) => `${table}.${key} = touched.value ->> ${at}`)
    .join(" AND ")}`;

const touchedSources: Sources = {
  rooms: touched("room", "id"),
  sessions: touched("session", "id"),
  reservations: touched("reservation", "room_id", "worker_id"),
  views: touched('"view"', "id"),
  waiting: touched("waiting", "session_id", "broadcast_id"),
};

const moveSql = (
  sign: "+" | "-",
  from: { rooms: string } & Partial<Sources>,
) => `UPDATE account_use SET
    rooms_open = rooms_open ${sign} held.rooms,
    sessions_present = sessions_present ${sign} held.sessions,
    points_reserved = points_reserved ${sign} held.points,
    cameras_watched = cameras_watched ${sign} held.cameras,
    screens_watched = screens_watched ${sign} held.screens
  FROM (SELECT ${summed} FROM (${heldBy(from)}) GROUP BY account_id) AS held
  WHERE account_use.account_id = held.account_id`;

const capsSql = `INSERT INTO account_use
    (account_id, rooms_max, sessions_max, points_max, egress_max_kbps, caps_version)
  SELECT value ->> 0, value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10
    FROM json_each(?) WHERE true
  ON CONFLICT (account_id) DO UPDATE SET rooms_max = excluded.rooms_max,
    sessions_max = excluded.sessions_max, points_max = excluded.points_max,
    egress_max_kbps = excluded.egress_max_kbps, caps_version = excluded.caps_version
  WHERE account_use.caps_version <> excluded.caps_version`;

const sameSql = `INSERT INTO batch_guard (ok)
  SELECT 0 FROM json_each(?) AS counted
  JOIN account_use ON account_use.account_id = counted.value ->> 0
  WHERE (rooms_open, sessions_present, points_reserved, cameras_watched, screens_watched)
    <> (counted.value ->> 1, counted.value ->> 2, counted.value ->> 3,
      counted.value ->> 4, counted.value ->> 5)
  LIMIT 1`;

/**
 * The statements that move accounts' counters along with a commit's rows.
 * @returns what has to stand before the rows' statements, and what after them
 */
export function accountStatements(changes: Changes): {
  before: InStatement[];
  after: InStatement[];
} {
  const { sessions, reservations, views, waiting, rooms, accounts } = changes;
  const counted = [sessions, reservations, views, waiting];
  if (accounts.size === 0 && counted.every(({ size }) => size === 0)) {
    return { before: [], after: [] };
  }
  // Every statement is read anew by the database: what is not touched is left out.
  const lists = { sessions, reservations, views, waiting };
  const used = Object.entries(lists).filter(([, { size }]) => size > 0);
  const from = Object.fromEntries(
    used.map(([what]) => [what, touchedSources[what as keyof Sources]]),
  );
  const sources = { rooms: touchedSources.rooms, ...from };
  const args = [rooms, ...used.map(([, table]) => table)].map((table) =>
    JSON.stringify([...table.keysPut(), ...table.keysRemoved()]),
  );
  const own = JSON.stringify(
    [...accounts.values()].map((use) => [
      use.accountId,
      use.roomsOpen,
      use.sessionsPresent,
      use.pointsReserved,
      use.camerasWatched,
      use.screensWatched,
      use.roomsMax,
      use.sessionsMax,
      use.pointsMax,
      use.egressMaxKbps,
      use.capsVersion,
    ]),
  );
  const known = accounts.size > 0;
  return {
    before: [
      ...(known ? [{ sql: capsSql, args: [own] }] : []),
      { sql: moveSql("-", sources), args },
    ],
    after: [
      { sql: moveSql("+", sources), args },
      ...(known ? [{ sql: sameSql, args: [own] }] : []),
    ],
  };
}

/** The drift of accounts' counters, as `findDrift` reads it. */
export const accountDrift: Record<string, string> = Object.fromEntries(
  Object.entries({
    rooms: "rooms_open",
    sessions: "sessions_present",
    points: "points_reserved",
    cameras: "cameras_watched",
    screens: "screens_watched",
  }).map(([what, column]) => [
    `account.${what}`,
    `SELECT account_id AS id, sum(counted) AS counted, sum(held) AS rows FROM (
        SELECT account_id, ${column} AS counted, 0 AS held FROM account_use
        UNION ALL
        SELECT account_id, 0, ${what} FROM (${heldAtAll}))
      GROUP BY account_id HAVING sum(counted) <> sum(held)`,
  ]),
);

/**
 * Counts all accounts anew: the ledger was written by an earlier version of Weir,
 * which knew no counters. Right whenever it runs, as it is one statement.
 */
export async function countAccounts(client: Client, zoneId: string): Promise<void> {
  await client.batch(
    [
      `INSERT INTO account_use (account_id, rooms_open, sessions_present,
          points_reserved, cameras_watched, screens_watched)
        SELECT ${summed} FROM (
          SELECT account_id, 0 AS rooms, 0 AS sessions, 0 AS points, 0 AS cameras,
            0 AS screens FROM account_use
          UNION ALL ${heldAtAll}) WHERE true GROUP BY account_id
        ON CONFLICT (account_id) DO UPDATE SET rooms_open = excluded.rooms_open,
          sessions_present = excluded.sessions_present,
          points_reserved = excluded.points_reserved,
          cameras_watched = excluded.cameras_watched,
          screens_watched = excluded.screens_watched`,
      { sql: "UPDATE zone SET counted_seq = commit_seq WHERE id = ?", args: [zoneId] },
    ],
    "write",
  );
}
