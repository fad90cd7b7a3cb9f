import { sql } from "drizzle-orm";
import {
  check,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
} from "drizzle-orm/sqlite-core";
import type { TrackSource } from "../media.ts";
import { worker } from "./fleet.ts";

/* Who is where: rooms, and the holders of every claim on capacity. */

export const room = sqliteTable(
  "room",
  {
    id: text().primaryKey(),
    accountId: text("account_id").notNull(),
    name: text().notNull(),
    tier: integer().notNull(),
    state: text({ enum: ["open", "closed"] }).notNull(),
    /** Raised by every reopening. */
    epoch: integer().notNull(),
    reserve: integer({ mode: "boolean" }).notNull(),
    /** The video codec that its broadcasters send. */
    codec: text({ enum: ["vp8", "h264", "vp9", "av1"] })
      .notNull()
      .default("vp8"),
    createdAtMs: integer("created_at_ms").notNull(),
    /** The last event sequence number given out. */
    eventSeq: integer("event_seq").notNull(),
    /** Live camera broadcasts and present sessions, and the tier's marks. */
    broadcastsMax: integer("broadcasts_max").notNull(),
    broadcastsLive: integer("broadcasts_live").notNull(),
    sessionsMax: integer("sessions_max").notNull(),
    sessionsPresent: integer("sessions_present").notNull(),
  },
  (table) => [
    index("room_account").on(table.accountId, table.id),
    check(
      "room_broadcasts",
      sql`${table.broadcastsLive} BETWEEN 0 AND ${table.broadcastsMax}`,
    ),
    check(
      "room_sessions",
      sql`${table.sessionsPresent} BETWEEN 0 AND ${table.sessionsMax}`,
    ),
  ],
);

/** One participant's presence in a room: the holder of everything below. */
export const session = sqliteTable(
  "session",
  {
    id: text().primaryKey(),
    roomId: text("room_id")
      .notNull()
      .references(() => room.id),
    identity: text().notNull(),
    canPublish: integer("can_publish", { mode: "boolean" }).notNull(),
    /** What it may send; null: everything. */
    publishSources: text("publish_sources", { mode: "json" }).$type<TrackSource[]>(),
    canSubscribe: integer("can_subscribe", { mode: "boolean" }).notNull(),
    roomAdmin: integer("room_admin", { mode: "boolean" }).notNull(),
    /** Whether its channel is connected. */
    attached: integer({ mode: "boolean" }).notNull(),
    /** What it lives by: its channel, or one transport that was negotiated by SDP. */
    carrier: text({ enum: ["channel", "whip", "whep"] })
      .notNull()
      .default("channel"),
    enteredAtMs: integer("entered_at_ms").notNull(),
    /** The last sequence number given out in the session's own stream. */
    eventSeq: integer("event_seq").notNull(),
  },
  (table) => [index("session_room").on(table.roomId)],
);

/** Who may not come in: an identity's tokens are void in the room. */
export const ban = sqliteTable(
  "ban",
  {
    roomId: text("room_id")
      .notNull()
      .references(() => room.id),
    identity: text().notNull(),
    atMs: integer("at_ms").notNull(),
    /** The identity of the moderator. */
    by: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.roomId, table.identity] })],
);

export const broadcast = sqliteTable(
  "broadcast",
  {
    id: text().primaryKey(),
    /** The room that owns the producer place. */
    homeRoomId: text("home_room_id")
      .notNull()
      .references(() => room.id),
    sessionId: text("session_id")
      .notNull()
      .references(() => session.id),
    identity: text().notNull(),
    mediaClass: text("media_class", { enum: ["camera", "screen"] }).notNull(),
    workerId: text("worker_id")
      .notNull()
      .references(() => worker.id),
    transportId: text("transport_id").notNull(),
    /**
     * `interrupted` until its tracks are sent again; `moving` while another
     * place is held and its old one runs; `leaving` while the old one runs out.
     */
    state: text({ enum: ["live", "interrupted", "moving", "leaving"] })
      .notNull()
      .default("live"),
    /** The second place of one that is moving (where to) or leaving (where from). */
    otherWorkerId: text("other_worker_id").references(() => worker.id),
    otherTransportId: text("other_transport_id"),
    /** The highest track version given out. */
    trackVersion: integer("track_version").notNull(),
    claimedAtMs: integer("claimed_at_ms").notNull(),
  },
  (table) => [
    index("broadcast_worker").on(table.workerId),
    index("broadcast_other").on(table.otherWorkerId),
    index("broadcast_home").on(table.homeRoomId),
    index("broadcast_session").on(table.sessionId),
  ],
);

/** The rooms in which a broadcast is shown, its home among them. */
export const broadcastRoom = sqliteTable(
  "broadcast_room",
  {
    broadcastId: text("broadcast_id")
      .notNull()
      .references(() => broadcast.id),
    roomId: text("room_id")
      .notNull()
      .references(() => room.id),
    /** A camera counts against the room's tier; a screen does not. */
    counted: integer({ mode: "boolean" }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.broadcastId, table.roomId] }),
    index("broadcast_room_room").on(table.roomId),
  ],
);

export const track = sqliteTable(
  "track",
  {
    id: text().primaryKey(),
    broadcastId: text("broadcast_id")
      .notNull()
      .references(() => broadcast.id),
    kind: text({ enum: ["audio", "video"] }).notNull(),
    source: text({
      enum: ["microphone", "camera", "screen", "screen-audio"],
    }).notNull(),
    paused: integer({ mode: "boolean" }).notNull(),
    /** The transport that it was produced on last; empty: its broadcast's first. */
    transportId: text("transport_id").notNull().default(""),
  },
  (table) => [index("track_broadcast").on(table.broadcastId)],
);
