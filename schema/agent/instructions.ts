import { z } from "zod";

/** One side of a pipe: which worker, in which of its lives. */
export const workerRef = z.object({
  workerId: z.string().max(128),
  incarnation: z.string().max(128),
});
export type WorkerRef = z.infer<typeof workerRef>;

/** One opening of the pipe of a broadcast to one consumer worker. */
export const pipeRef = z.object({
  broadcastId: z.string().max(128),
  producer: workerRef,
  consumer: workerRef,
  generation: z.number().int(),
});
export type PipeRef = z.infer<typeof pipeRef>;

/**
 * Instructions are durable: rows of the outbox, delivered at least once, in any
 * order after a failure. Each names a wanted state, so applying one twice or
 * late does no harm: the agent keeps the highest `generation` or `version` that
 * it has seen for each key, tombstones too, and ignores lower ones.
 */
export const instruction = z.discriminatedUnion("kind", [
  /**
   * The pipe of one broadcast from its producer worker to one consumer worker.
   * Both nodes get it. `open` is only a permission (calls do the negotiation);
   * `closed` closes every leg of this generation and of all before it.
   */
  z.object({
    kind: z.literal("pipe"),
    ...pipeRef.shape,
    wanted: z.enum(["open", "closed"]),
  }),
  /** A track's wanted state, for its producer and for every leg. */
  z.object({
    kind: z.literal("track"),
    broadcastId: z.string(),
    trackId: z.string(),
    version: z.number().int(),
    wanted: z.enum(["playing", "paused", "closed"]),
  }),
  /** The view is gone: its consumers close. */
  z.object({ kind: z.literal("close-view"), viewId: z.string(), sessionId: z.string() }),
  /** The broadcast is gone: its producers and the legs of all its pipes close. */
  z.object({ kind: z.literal("close-broadcast"), broadcastId: z.string() }),
  /** The transport is not needed any more: what it carries closes, unreported. */
  z.object({
    kind: z.literal("close-transport"),
    transportId: z.string(),
    sessionId: z.string(),
  }),
  /** The session is gone: all its transports on this node close. */
  z.object({ kind: z.literal("close-session"), sessionId: z.string() }),
]);
export type Instruction = z.infer<typeof instruction>;

/** An instruction with its place in the node's outbox: 1, 2, 3 … without gaps. */
export const outboxItem = z.object({ seq: z.number().int(), instruction });
export type OutboxItem = z.infer<typeof outboxItem>;
