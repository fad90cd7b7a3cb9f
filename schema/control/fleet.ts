import { sql } from "drizzle-orm";
import {
  check,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
} from "drizzle-orm/sqlite-core";

/*
 * What carries media, and how full it is. Every mark is a CHECK as well: a bug
 * in the code has to hit a wall in the database.
 */

/** One row: who may write, and the counters that every commit moves on. */
export const zone = sqliteTable("zone", {
  id: text().primaryKey(),
  /** Raised by every broker that takes over; a commit under a lower one is refused. */
  generation: integer().notNull().default(0),
  /** The last commit's number: tells whether a commit without an answer landed. */
  commitSeq: integer("commit_seq").notNull().default(0),
  /** The last commit that moved the accounts' counters: behind it, they are counted anew. */
  countedSeq: integer("counted_seq").notNull().default(0),
  /** The last pipe generation given out. */
  pipeGeneration: integer("pipe_generation").notNull().default(0),
  /** SHA-256 of the fleet's media codecs, set by the first node. */
  codecsHash: text("codecs_hash"),
  routerRtpCapabilities: text("router_rtp_capabilities", { mode: "json" }),
});

/** Takes only ones: inserting anything else aborts the batch that it stands in. */
export const batchGuard = sqliteTable(
  "batch_guard",
  { ok: integer().notNull() },
  (table) => [check("batch_guard_ok", sql`${table.ok} = 1`)],
);

export const node = sqliteTable(
  "node",
  {
    id: text().primaryKey(),
    /** Raised by every registration. */
    epoch: integer().notNull(),
    /** The key pair to which it is bound; null: the next one that registers. */
    publicKey: text("public_key"),
    state: text({ enum: ["ready", "suspect", "gone"] }).notNull(),
    cordoned: integer({ mode: "boolean" }).notNull(),
    /** Whether its agent was asked to leave. */
    draining: integer({ mode: "boolean" }).notNull(),
    /** Whether the operator wants it empty. */
    emptying: integer({ mode: "boolean" }).notNull().default(false),
    /** When what is left on a node that drains is moved without ceremony. */
    drainUntilMs: integer("drain_until_ms"),
    /** Its last failure: what and when, and how often it was held back for them. */
    failure: text(),
    failedAtMs: integer("failed_at_ms").notNull().default(0),
    holds: integer().notNull().default(0),
    /** Until when it takes nothing new, having failed too often. */
    heldUntilMs: integer("held_until_ms"),
    agentVersion: text("agent_version").notNull(),
    egressKbps: integer("egress_kbps").notNull(),
    egressUsedKbps: integer("egress_used_kbps").notNull(),
    ingressKbps: integer("ingress_kbps").notNull(),
    ingressUsedKbps: integer("ingress_used_kbps").notNull(),
    /** Gigabytes (10^9 bytes) that it may send in a month; null: no quota. */
    egressQuotaGb: integer("egress_quota_gb"),
    /** The month (UTC) that `sentMb` counts, as 2026-11. */
    sentMonth: text("sent_month").notNull(),
    /** Megabytes (10^6 bytes) sent in that month, as the agent measured. */
    sentMb: integer("sent_mb").notNull(),
    /** Whether it was warned of; the warning is told once for each rise. */
    egressWarned: integer("egress_warned", { mode: "boolean" }).notNull(),
    quotaWarned: integer("quota_warned", { mode: "boolean" }).notNull(),
    /** The last outbox sequence number given out. */
    outboxSeq: integer("outbox_seq").notNull(),
    /** The last number given out in the node's own stream of events. */
    eventSeq: integer("event_seq").notNull(),
  },
  (table) => [
    check("node_egress", sql`${table.egressUsedKbps} BETWEEN 0 AND ${table.egressKbps}`),
    check(
      "node_ingress",
      sql`${table.ingressUsedKbps} BETWEEN 0 AND ${table.ingressKbps}`,
    ),
  ],
);

export const worker = sqliteTable(
  "worker",
  {
    id: text().primaryKey(),
    nodeId: text("node_id")
      .notNull()
      .references(() => node.id),
    incarnation: text().notNull(),
    role: text({ enum: ["producer", "consumer"] }).notNull(),
    mediaClass: text("media_class", { enum: ["camera", "screen"] }).notNull(),
    /** False from a worker's end to its node's next registration. */
    present: integer({ mode: "boolean" }).notNull(),
    pointsTotal: integer("points_total").notNull(),
    pointsUsed: integer("points_used").notNull(),
    broadcastsTotal: integer("broadcasts_total").notNull(),
    broadcastsUsed: integer("broadcasts_used").notNull(),
    legsTotal: integer("legs_total").notNull(),
    legsUsed: integer("legs_used").notNull(),
    /** Producer workers: the room to which it is dedicated. */
    dedicatedTo: text("dedicated_to"),
  },
  (table) => [
    index("worker_node").on(table.nodeId),
    check("worker_points", sql`${table.pointsUsed} BETWEEN 0 AND ${table.pointsTotal}`),
    check(
      "worker_broadcasts",
      sql`${table.broadcastsUsed} BETWEEN 0 AND ${table.broadcastsTotal}`,
    ),
    check("worker_legs", sql`${table.legsUsed} BETWEEN 0 AND ${table.legsTotal}`),
  ],
);

/** One room's viewers of one broadcast on one consumer worker. */
export const slot = sqliteTable(
  "slot",
  {
    roomId: text("room_id").notNull(),
    broadcastId: text("broadcast_id").notNull(),
    workerId: text("worker_id")
      .notNull()
      .references(() => worker.id),
    viewers: integer().notNull(),
    /** Views that one point carries here. */
    seats: integer().notNull(),
    points: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.broadcastId, table.workerId, table.roomId] }),
    index("slot_worker").on(table.workerId),
    index("slot_room").on(table.roomId),
    check("slot_viewers", sql`${table.viewers} > 0`),
    check(
      "slot_points",
      sql`${table.points} = (${table.viewers} + ${table.seats} - 1) / ${table.seats}`,
    ),
  ],
);

/** Points that a room keeps on a consumer worker, in use or not. */
export const reservation = sqliteTable(
  "reservation",
  {
    roomId: text("room_id").notNull(),
    workerId: text("worker_id")
      .notNull()
      .references(() => worker.id),
    points: integer().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.roomId, table.workerId] }),
    index("reservation_worker").on(table.workerId),
    check("reservation_points", sql`${table.points} > 0`),
  ],
);

/** The link that carries one broadcast to one consumer worker. */
export const pipe = sqliteTable(
  "pipe",
  {
    broadcastId: text("broadcast_id").notNull(),
    consumerWorkerId: text("consumer_worker_id")
      .notNull()
      .references(() => worker.id),
    producerWorkerId: text("producer_worker_id")
      .notNull()
      .references(() => worker.id),
    state: text({ enum: ["opening", "open", "lingering"] }).notNull(),
    /** Raised at each opening: what is said of an older one has no effect. */
    generation: integer().notNull(),
    legs: integer().notNull(),
    /** The generation that runs out beside this one, and where it comes from. */
    oldProducerWorkerId: text("old_producer_worker_id").references(() => worker.id),
    oldGeneration: integer("old_generation"),
  },
  (table) => [
    primaryKey({ columns: [table.broadcastId, table.consumerWorkerId] }),
    index("pipe_old_producer").on(table.oldProducerWorkerId),
    index("pipe_consumer").on(table.consumerWorkerId),
    index("pipe_producer").on(table.producerWorkerId),
  ],
);
