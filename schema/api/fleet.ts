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
    epoch: z.number().int(),
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
