import { z } from "zod";
import { mediaClass, workerRole } from "../settings.ts";

/** One worker as the fleet and placement views show it. */
export const workerInfo = z
  .object({
    id: z.string(),
    nodeId: z.string(),
    role: workerRole,
    mediaClass,
    /** Consumer workers: points in all, and granted (reserved ones included). */
    points: z.object({ total: z.number().int(), used: z.number().int() }),
    /** Producer workers: broadcasts and outgoing legs, held and at most. */
    broadcasts: z.object({ total: z.number().int(), used: z.number().int() }),
    legs: z.object({ total: z.number().int(), used: z.number().int() }),
    views: z.number().int(),
    cpuPercent: z.number(),
    /** Whether it takes new work, and if not why. */
    open: z.boolean(),
    reason: z.string().optional(),
  })
  .meta({ id: "Worker" });
export type WorkerInfo = z.infer<typeof workerInfo>;

export const nodeInfo = z
  .object({
    id: z.string(),
    zone: z.string(),
    state: z.enum(["ready", "suspect", "gone"]),
    cordoned: z.boolean(),
    draining: z.boolean(),
    /** Its last failure, and until when it takes nothing new for it. */
    failure: z
      .object({
        reason: z.string(),
        at: z.iso.datetime(),
        heldUntil: z.iso.datetime().optional(),
      })
      .optional(),
    epoch: z.number().int(),
    /** The key to which it is bound; absent: that of the next that registers. */
    publicKey: z.string().optional(),
    /** Its last heartbeat; absent until the zone's broker, newly begun, hears one. */
    heardAt: z.iso.datetime().optional(),
    egressKbps: z.object({ total: z.number().int(), used: z.number().int() }),
    ingressKbps: z.object({ total: z.number().int(), used: z.number().int() }),
    workers: z.array(workerInfo),
  })
  .meta({ id: "Node" });
export type NodeInfo = z.infer<typeof nodeInfo>;

export const pipeInfo = z
  .object({
    broadcastId: z.string(),
    producerWorkerId: z.string(),
    consumerWorkerId: z.string(),
    state: z.enum(["opening", "open", "lingering", "closing"]),
    generation: z.number().int(),
  })
  .meta({ id: "Pipe" });
export type PipeInfo = z.infer<typeof pipeInfo>;

export const fleet = z
  .object({ nodes: z.array(nodeInfo), pipes: z.array(pipeInfo) })
  .meta({ id: "Fleet" });
export type Fleet = z.infer<typeof fleet>;

export const slotInfo = z
  .object({
    broadcastId: z.string(),
    workerId: z.string(),
    viewers: z.number().int(),
    points: z.number().int(),
    /** Places that the points paid for and nobody sits in. */
    freeSeats: z.number().int(),
  })
  .meta({ id: "Slot" });

/** What an operator should know of a node. */
export const nodeEventInfo = z.object({
  /** A share of the bandwidth budget, or of the month's traffic quota, is reached. */
  type: z.enum([
    "egress.warning",
    "quota.warning",
    "node.draining",
    /** It failed again: it takes nothing new until it was well for a while. */
    "node.failing",
    /** It is silent, and so are too many others: its lease does not end yet. */
    "lease.paused",
  ]),
  nodeId: z.string(),
  /** Of a warning: what is used (or silent), as a share of what there is. */
  share: z.number().optional(),
  reason: z.string().optional(),
});
export type NodeEventInfo = z.infer<typeof nodeEventInfo>;

export const nodeEvents = z
  .object({
    events: z.array(
      z.object({ seq: z.number().int(), at: z.iso.datetime(), event: nodeEventInfo }),
    ),
  })
  .meta({ id: "NodeEvents" });

const some = z.number().int().nonnegative();

/** What a look over everything found: totals against rows, hosts against the ledger. */
export const reconciliation = z
  .object({
    /** Totals that are not the sum of their rows: there must be none. */
    drift: z.array(
      z.object({ what: z.string(), id: z.string(), counted: some, rows: some }),
    ),
    nodes: z.array(
      z.object({
        nodeId: z.string(),
        /** Whether its agent answered. */
        reached: z.boolean(),
        /** What it has and no row backs, and how much of it was told to close. */
        orphans: some,
        closed: some,
        /** What rows say and it has not, and how much of it got another place. */
        missing: some,
        replaced: some,
      }),
    ),
  })
  .meta({ id: "Reconciliation" });
export type Reconciliation = z.infer<typeof reconciliation>;

/** Why a view is where it is. */
export const explanation = z
  .object({
    viewId: z.string(),
    roomId: z.string(),
    broadcastId: z.string(),
    workerId: z.string(),
    state: z.enum(["claimed", "active"]),
    /** The rule that made the decision. */
    rule: z.string(),
    /** Points that the view opened; 0 in a seat that was free. */
    points: z.number().int(),
    openedPipe: z.boolean(),
    /** Workers that could have served, the chosen one included. */
    considered: z.number().int(),
    /** Why others could not: reason -> how many. */
    passedOver: z.record(z.string(), z.number().int()),
    sentences: z.array(z.string()),
    pipe: z.object({ state: z.string(), generation: z.number().int() }).optional(),
    claimedAt: z.iso.datetime(),
  })
  .meta({ id: "Explanation" });
export type Explanation = z.infer<typeof explanation>;

/** What a fleet needs to carry full rooms. */
export const fleetPlan = z
  .object({
    workers: z.object({
      producer: z.number().int(),
      consumer: z.number().int(),
      screen: z.number().int(),
      total: z.number().int(),
    }),
    hosts: z.number().int(),
    /** What the number of hosts comes from. */
    bindingLimit: z.enum(["cores", "egress"]),
    points: z.number().int(),
    consumers: z.number().int(),
    webRtcTransports: z.number().int(),
    pipes: z.number().int(),
    legs: z.number().int(),
    egressMbps: z.number(),
    pipeMbps: z.number(),
    ingressMbps: z.number(),
    terabytesPerDay: z.number(),
  })
  .meta({ id: "FleetPlan" });

/** Where everything of one room is. */
export const roomPlacement = z
  .object({
    roomId: z.string(),
    workers: z.array(workerInfo),
    slots: z.array(slotInfo),
    pipes: z.array(pipeInfo),
    points: z.number().int(),
    /** Points above the least that the same views could cost. */
    wastedPoints: z.number().int(),
  })
  .meta({ id: "RoomPlacement" });
export type RoomPlacement = z.infer<typeof roomPlacement>;
