import {
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";

/* What a commit leaves to be done, told or remembered. */

/** Instructions that a node has not acknowledged yet. */
export const outbox = sqliteTable(
  "outbox",
  {
    nodeId: text("node_id").notNull(),
    seq: integer().notNull(),
    instruction: text({ mode: "json" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.nodeId, table.seq] })],
);

/** What happened in a room, to a session or to a node, in the order of its commits. */
export const event = sqliteTable(
  "event",
  {
    /** Grows with the commits of the whole zone: readers of many streams keep it. */
    id: integer().primaryKey({ autoIncrement: true }),
    /** Whose stream: a room's, a session's or a node's id. */
    streamId: text("stream_id").notNull(),
    /** The room, for a room's and a session's stream. */
    roomId: text("room_id"),
    seq: integer().notNull(),
    atMs: integer("at_ms").notNull(),
    event: text({ mode: "json" }).notNull(),
  },
  (table) => [
    uniqueIndex("event_place").on(table.streamId, table.seq),
    index("event_at").on(table.atMs),
  ],
);

/** When the broker has to look at something again. */
export const deadline = sqliteTable(
  "deadline",
  {
    kind: text({
      enum: [
        "pipe-linger",
        "view-claim",
        "session-attach",
        "session-grace",
        /** Those who wait for a seat are looked at again. */
        "waiting",
        /** The old seat of a view that moves ends, or the move does. */
        "move",
        /** An interrupted or moving broadcast's tracks have to be there. */
        "resume",
        /** What a broadcast left behind where it moved away ends. */
        "leave",
        /** More of a draining node is moved. */
        "drain",
        /** A node that failed too often takes new work again. */
        "node-hold",
        /** A point is made free for those who wait. */
        "defragment",
      ],
    }).notNull(),
    /** What it is about: a session, a transport, or a broadcast and its worker. */
    key: text().notNull(),
    /** The room to load before acting; empty where none is needed. */
    roomId: text("room_id").notNull(),
    dueAtMs: integer("due_at_ms").notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.key] })],
);

/** Requests that came with an idempotency key, and the claims they made. */
export const idempotency = sqliteTable(
  "idempotency",
  {
    roomId: text("room_id").notNull(),
    key: text().notNull(),
    bodyHash: text("body_hash").notNull(),
    claim: text({ mode: "json" }).notNull(),
    atMs: integer("at_ms").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.roomId, table.key] }),
    index("idempotency_at").on(table.atMs),
  ],
);
