import { z } from "zod";
import { mediaKind, rtpParameters, trackSource, transportParameters } from "../media.ts";
import { type CallOp, leg, pipeEndpoint } from "./calls.ts";
import { workerRef } from "./instructions.ts";

/** A consumer as mediasoup-client's `transport.consume()` takes it. */
export const consumerParameters = z.object({
  id: z.string(),
  trackId: z.string(),
  kind: mediaKind,
  source: trackSource,
  rtpParameters,
  /** The broadcaster has muted this track. */
  producerPaused: z.boolean(),
  /** True until `resume-views`: made on a transport that was connected already. */
  paused: z.boolean(),
});
export type ConsumerParametersWire = z.infer<typeof consumerParameters>;

/** What each call answers with. */
export const callResults = {
  "open-send-transport": z.object({ transport: transportParameters }),
  "connect-transport": z.object({}),
  "restart-ice": z.object({ iceParameters: z.looseObject({}) }),
  "patch-ice": z.discriminatedUnion("status", [
    z.object({ status: z.literal("taken"), etag: z.string() }),
    z.object({ status: z.literal("restarted"), etag: z.string(), fragment: z.string() }),
    /** The fragment was for another ICE session than the present one. */
    z.object({ status: z.literal("stale"), etag: z.string() }),
  ]),
  ingest: z.object({
    answer: z.string(),
    etag: z.string(),
    tracks: z.array(z.object({ id: z.string(), kind: mediaKind, source: trackSource })),
  }),
  produce: z.object({}),
  "open-legs": z.object({
    /** One per asked pipe, in the order asked. */
    pipes: z.array(
      z.discriminatedUnion("status", [
        z.object({
          status: z.literal("open"),
          broadcastId: z.string(),
          legs: z.array(leg),
          endpoint: pipeEndpoint,
        }),
        z.object({
          status: z.literal("failed"),
          broadcastId: z.string(),
          reason: z.string(),
        }),
      ]),
    ),
  }),
  "start-legs": z.object({}),
  "open-pairs": z.object({
    /** One per asked peer, in the order asked. */
    endpoints: z.array(pipeEndpoint),
  }),
  "connect-pair": z.object({}),
  watch: z.object({
    transport: transportParameters,
    /** False where the transport was there before this call. */
    transportIsNew: z.boolean(),
    views: z.array(
      z.discriminatedUnion("status", [
        z.object({
          status: z.literal("ready"),
          viewId: z.string(),
          consumers: z.array(consumerParameters),
        }),
        z.object({
          status: z.literal("failed"),
          viewId: z.string(),
          /** `no-pipe`: the legs have to be opened first. */
          code: z.enum(["no-pipe", "cannot-consume", "failed"]),
          reason: z.string(),
        }),
      ]),
    ),
  }),
  play: z.discriminatedUnion("status", [
    z.object({ status: z.literal("ready"), answer: z.string(), etag: z.string() }),
    z.object({
      status: z.literal("failed"),
      /** `no-pipe`: the legs have to be opened first. */
      code: z.enum(["no-pipe", "cannot-consume"]),
      reason: z.string(),
    }),
  ]),
  "resume-views": z.object({}),
  "update-views": z.object({}),
  stats: z.object({ stats: z.array(z.looseObject({ type: z.string() })) }),
  inventory: z.object({
    views: z.array(z.object({ viewId: z.string(), sessionId: z.string() })),
    transports: z.array(
      z.object({
        transportId: z.string(),
        sessionId: z.string(),
        direction: z.enum(["send", "receive"]),
      }),
    ),
    /** Both sides of pipes: those that leave this node and those that reach it. */
    pipes: z.array(
      z.object({
        broadcastId: z.string(),
        producer: workerRef,
        consumer: workerRef,
        generation: z.number().int(),
      }),
    ),
  }),
} satisfies Record<CallOp, z.ZodType>;
export type CallResult<Op extends CallOp> = z.infer<(typeof callResults)[Op]>;

/** What a node has, as its agent tells it. */
export type Inventory = CallResult<"inventory">;
