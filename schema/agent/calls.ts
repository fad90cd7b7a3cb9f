import { z } from "zod";
import {
  dtlsParameters,
  layers,
  mediaKind,
  rtpCapabilities,
  rtpParameters,
  trackSource,
  viewWishes,
} from "../media.ts";
import { mediaClass } from "../settings.ts";
import { pipeRef, workerRef } from "./instructions.ts";

/*
 * Calls negotiate media: relayed through the mailbox with a deadline, never
 * written down, so no ICE or SRTP secret is ever stored. Every id in them was
 * made by control; creating what exists returns it, so a call may be repeated.
 */

/** Where a PipeTransport listens, and the keys with which it sends. */
export const pipeEndpoint = z.object({
  ip: z.string(),
  port: z.number().int(),
  srtpParameters: z.looseObject({}).optional(),
});
export type PipeEndpoint = z.infer<typeof pipeEndpoint>;

/** One track of a broadcast as a pipe's consumer side has to produce it. */
export const leg = z.object({
  trackId: z.string(),
  kind: mediaKind,
  source: trackSource,
  paused: z.boolean(),
  /** Sends nothing before `start-legs`, or a moment has passed. */
  held: z.boolean().optional(),
  rtpParameters,
});
export type Leg = z.infer<typeof leg>;

const scope = {
  /** Room and session on whose behalf the call is made; events carry both. */
  roomId: z.string(),
  sessionId: z.string(),
};

/** A view as its consumer worker has to serve it. */
const watchedView = z.object({
  viewId: z.string(),
  broadcastId: z.string(),
  generation: z.number().int(),
  producer: workerRef,
  /** Absent where the pipe is open already. */
  legs: z.array(leg).optional(),
  kinds: z.array(mediaKind),
  preferredLayers: layers.optional(),
  priority: z.number().int().min(1).max(255).optional(),
  paused: z.boolean(),
  pausedKinds: z.array(mediaKind).optional(),
});

export const callRequest = z.discriminatedUnion("op", [
  /**
   * Makes the session's sending transport for one broadcast. With the client's
   * fingerprint sent along, the transport is connected at once.
   */
  z.object({
    op: z.literal("open-send-transport"),
    ...scope,
    worker: workerRef,
    transportId: z.string(),
    broadcastId: z.string(),
    /** Bitrate in kbit/s to which the agent caps the sender. */
    maxIncomingKbps: z.number().int(),
    dtlsParameters: dtlsParameters.optional(),
  }),
  z.object({
    op: z.literal("connect-transport"),
    ...scope,
    transportId: z.string(),
    dtlsParameters,
  }),
  z.object({ op: z.literal("restart-ice"), ...scope, transportId: z.string() }),
  /**
   * A trickle fragment for a transport that was negotiated by SDP. Another user
   * fragment of the client's restarts ICE.
   */
  z.object({
    op: z.literal("patch-ice"),
    ...scope,
    transportId: z.string(),
    fragment: z.string(),
    /** The entity tag of the ICE session that it is for, or `*` for any. */
    ifMatch: z.string(),
  }),
  /**
   * Takes an encoder's SDP offer: makes the sending transport, connects it, makes
   * a producer for every track, and answers with what the encoder needs.
   */
  z.object({
    op: z.literal("ingest"),
    ...scope,
    worker: workerRef,
    transportId: z.string(),
    broadcastId: z.string(),
    media: mediaClass,
    maxIncomingKbps: z.number().int(),
    /** Ids for the tracks that the offer may have. */
    trackIds: z.object({ audio: z.string(), video: z.string() }),
    offer: z.string(),
  }),
  /** Makes one track's producer on one of its broadcast's transports. */
  z.object({
    op: z.literal("produce"),
    ...scope,
    transportId: z.string(),
    broadcastId: z.string(),
    trackId: z.string(),
    kind: mediaKind,
    source: trackSource,
    rtpParameters,
    paused: z.boolean(),
  }),
  /**
   * Producer side of pipes: makes the PipeTransports to the named consumer
   * workers and a leg for every track that each broadcast has at present.
   */
  z.object({ op: z.literal("open-legs"), pipes: z.array(pipeRef) }),
  /** Producer side: somebody is ready for what held legs bring. */
  z.object({ op: z.literal("start-legs"), pipes: z.array(pipeRef) }),
  /** Consumer side: makes the PipeTransports that will face these producer workers. */
  z.object({
    op: z.literal("open-pairs"),
    worker: workerRef,
    peers: z.array(workerRef),
  }),
  /** Producer side: tells a PipeTransport where its far end listens. */
  z.object({
    op: z.literal("connect-pair"),
    worker: workerRef,
    peer: workerRef,
    remote: pipeEndpoint,
  }),
  /**
   * Consumer side of Watch, everything at once: connects pairs, produces the
   * legs, makes or reuses the session's receiving transport, consumes.
   */
  z.object({
    op: z.literal("watch"),
    ...scope,
    worker: workerRef,
    transportId: z.string(),
    /** Given for a new transport, and used only if it is new. */
    dtlsParameters: dtlsParameters.optional(),
    rtpCapabilities,
    pairs: z.array(z.object({ peer: workerRef, remote: pipeEndpoint })),
    views: z.array(watchedView),
  }),
  /**
   * The same for one view of a player that sends an SDP offer: its consumers have
   * the payload types of the offer, and the answer is all that the player needs.
   */
  z.object({
    op: z.literal("play"),
    ...scope,
    worker: workerRef,
    transportId: z.string(),
    pairs: z.array(z.object({ peer: workerRef, remote: pipeEndpoint })),
    view: watchedView,
    offer: z.string(),
  }),
  /** Resumes the consumers of views that `watch` made on a connected transport. */
  z.object({ op: z.literal("resume-views"), ...scope, viewIds: z.array(z.string()) }),
  /** Changes how views are served; those that are not here are passed over. */
  z.object({
    op: z.literal("update-views"),
    ...scope,
    views: z.array(z.object({ viewId: z.string(), ...viewWishes.shape })),
  }),
  /** mediasoup's own numbers for a broadcast's producers or a view's consumers. */
  z.object({
    op: z.literal("stats"),
    of: z.discriminatedUnion("type", [
      z.object({ type: z.literal("broadcast"), broadcastId: z.string() }),
      z.object({ type: z.literal("view"), viewId: z.string() }),
    ]),
  }),
  /** Everything that the node has, to be held against the ledger. */
  z.object({ op: z.literal("inventory") }),
]);
export type CallRequest = z.infer<typeof callRequest>;
export type CallOp = CallRequest["op"];
export type CallOf<Op extends CallOp> = Extract<CallRequest, { op: Op }>;

/** A call on its way to an agent. */
export const call = z.object({
  callId: z.string(),
  /** Milliseconds left, counted from the agent's receiving it. */
  deadlineMs: z.number().int(),
  /** The agent first applies its instructions up to this one. */
  afterSeq: z.number().int(),
  request: callRequest,
});
export type Call = z.infer<typeof call>;

/** An agent's answer; kept 60 s, so that asking again returns the same. */
export const callAnswer = z.discriminatedUnion("ok", [
  z.object({ callId: z.string().max(128), ok: z.literal(true), result: z.unknown() }),
  z.object({
    callId: z.string().max(128),
    ok: z.literal(false),
    /** `gone`: the worker's incarnation, transport or broadcast is not (or no longer) here. */
    code: z.enum(["gone", "invalid", "failed", "deadline"]),
    reason: z.string().max(500),
  }),
]);
export type CallAnswer = z.infer<typeof callAnswer>;
