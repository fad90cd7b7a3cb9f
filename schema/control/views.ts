import { sql } from "drizzle-orm";
import {
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { worker } from "./fleet.ts";
import { broadcast, room, session } from "./rooms.ts";

/* Who watches what, and from where: seats, moves between them, and who waits for one. */

/**
 * One session watching one broadcast, on one consumer worker: one seat. While a
 * view moves, its session has two of them, and the newest is the one it watches.
 */
export const view = sqliteTable(
  "view",
  {
    id: text().primaryKey(),
    roomId: text("room_id")
      .notNull()
      .references(() => room.id),
    sessionId: text("session_id")
      .notNull()
      .references(() => session.id),
    broadcastId: text("broadcast_id")
      .notNull()
      .references(() => broadcast.id),
    workerId: text("worker_id")
      .notNull()
      .references(() => worker.id),
    /** `claimed` until the agent has seen its media connected. */
    state: text({ enum: ["claimed", "active"] }).notNull(),
    transportId: text("transport_id").notNull(),
    /** False for the old seat of a view that moves. */
    newest: integer({ mode: "boolean" }).notNull().default(true),
    /** Seats before this one whose media never connected, in a row. */
    tries: integer().notNull().default(0),
    /** Why it is where it is: the decision's grounds. */
    grounds: text({ mode: "json" }).notNull(),
    claimedAtMs: integer("claimed_at_ms").notNull(),
  },
  (table) => [
    uniqueIndex("view_once")
      .on(table.sessionId, table.broadcastId)
      .where(sql`${table.newest}`),
    index("view_slot").on(table.broadcastId, table.workerId, table.roomId),
    index("view_room").on(table.roomId),
    index("view_worker").on(table.workerId),
  ],
);

/** A view on its way from one seat to another, both of which are held meanwhile. */
export const move = sqliteTable(
  "move",
  {
    /** The view in the old seat. */
    viewId: text("view_id").primaryKey(),
    toViewId: text("to_view_id").notNull(),
    roomId: text("room_id").notNull(),
    sessionId: text("session_id").notNull(),
    broadcastId: text("broadcast_id").notNull(),
    reason: text().notNull(),
    startedAtMs: integer("started_at_ms").notNull(),
  },
  (table) => [
    uniqueIndex("move_to").on(table.toViewId),
    index("move_room").on(table.roomId),
  ],
);

/** A session that lost its view of a broadcast, and waits for another seat. */
export const waiting = sqliteTable(
  "waiting",
  {
    sessionId: text("session_id")
      .notNull()
      .references(() => session.id),
    broadcastId: text("broadcast_id")
      .notNull()
      .references(() => broadcast.id),
    roomId: text("room_id")
      .notNull()
      .references(() => room.id),
    /** The view that was lost. */
    viewId: text("view_id").notNull(),
    reason: text().notNull(),
    /** How long the lost view's picture may run on. */
    oldRunsMs: integer("old_runs_ms").notNull(),
    /** Whether its session knows that nothing has room. */
    told: integer({ mode: "boolean" }).notNull(),
    /** The node that failed it: others come first. */
    avoidNodeId: text("avoid_node_id"),
    tries: integer().notNull(),
    /** Higher ones first: reserved rooms, then by tier; then who came earliest. */
    rank: integer().notNull(),
    presentSinceMs: integer("present_since_ms").notNull(),
  },
  (table) => [primaryKey({ columns: [table.sessionId, table.broadcastId] })],
);
