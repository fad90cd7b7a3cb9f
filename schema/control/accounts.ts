import { sql } from "drizzle-orm";
import { check, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/**
 * What an account holds in this zone, and what it may. The counters are moved by
 * the database itself, by the rows of each commit; the broker's own count is held
 * against them in the same commit.
 */
export const accountUse = sqliteTable(
  "account_use",
  {
    accountId: text("account_id").primaryKey(),
    /** Open rooms, their sessions, and the points that they keep on workers. */
    roomsOpen: integer("rooms_open").notNull().default(0),
    sessionsPresent: integer("sessions_present").notNull().default(0),
    pointsReserved: integer("points_reserved").notNull().default(0),
    /** What sessions watch, or wait to see again: of a view that moves, one seat. */
    camerasWatched: integer("cameras_watched").notNull().default(0),
    screensWatched: integer("screens_watched").notNull().default(0),
    /** The caps that this zone was last told; null: the deployment's. */
    roomsMax: integer("rooms_max"),
    sessionsMax: integer("sessions_max"),
    pointsMax: integer("points_max"),
    egressMaxKbps: integer("egress_max_kbps"),
    /** Of the caps: older ones, from a replica or a memory, change nothing. */
    capsVersion: integer("caps_version").notNull().default(0),
  },
  (table) => [
    check("account_rooms", sql`${table.roomsOpen} >= 0`),
    check("account_sessions", sql`${table.sessionsPresent} >= 0`),
    check("account_points", sql`${table.pointsReserved} >= 0`),
    check("account_cameras", sql`${table.camerasWatched} >= 0`),
    check("account_screens", sql`${table.screensWatched} >= 0`),
  ],
);
