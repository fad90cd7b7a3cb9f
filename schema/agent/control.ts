import { z } from "zod";
import { nodeName } from "../ids.ts";
import { rtpCapabilities } from "../media.ts";
import { mediaClass, workerRole } from "../settings.ts";
import { call, callAnswer } from "./calls.ts";
import { outboxItem, pipeRef, workerRef } from "./instructions.ts";

/*
 * The agent's whole API. All of it is POST under /v1/agent with a bearer:
 * `challenge` and `register` with the zone's node key, the rest with the
 * credential that registering returned, which names node and epoch.
 */

/** A node asks for something to sign. */
export const challengeRequest = z.object({ name: nodeName });

export const challengeResponse = z.object({
  zone: z.string(),
  nodeId: z.string(),
  /** Good for one registration, and for a short time. */
  challenge: z.string(),
  expiresInMs: z.number().int(),
});
export type ChallengeResponse = z.infer<typeof challengeResponse>;

/** What a host is and brings. */
export const hostDescription = z.object({
  name: nodeName,
  agentVersion: z.string().max(64),
  workers: z
    .array(
      z.object({
        ordinal: z.number().int().min(0).max(1023),
        incarnation: z.string().min(1).max(64),
        role: workerRole,
        mediaClass,
        /** Points of a calibrated consumer worker; default from the settings. */
        points: z.number().int().positive().max(10_000).optional(),
      }),
    )
    .min(1)
    .max(1024),
  /** The host's bandwidth in kbit/s, each way. */
  egressKbps: z.number().int().positive(),
  ingressKbps: z.number().int().positive(),
  /** Traffic in gigabytes (10^9 bytes) that the host may send in a month. */
  egressQuotaGbPerMonth: z.number().int().positive().optional(),
  /** SHA-256 of the router's mediaCodecs: the same fleet-wide. */
  codecsHash: z.string().length(64),
  routerRtpCapabilities: rtpCapabilities,
  addresses: z.object({
    /** Where other nodes send pipes to. */
    pipe: z.string().min(1).max(255),
    /** What clients are told instead of the address that is listened on. */
    media: z.string().min(1).max(255).optional(),
  }),
});
export type HostDescription = z.infer<typeof hostDescription>;

/** The description, and the proof that it comes from the node's own host. */
export const registerRequest = hostDescription.extend({
  /** The node's Ed25519 public key, base64url: the first one is kept. */
  publicKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  challenge: z.string().max(1024),
  /** Over `proofText`, base64url. */
  signature: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
});
export type RegisterRequest = z.infer<typeof registerRequest>;

export const registerResponse = z.object({
  nodeId: z.string(),
  /** Raised by every registration; what was said under a lower one is refused. */
  epoch: z.number().int(),
  credential: z.string(),
  /** The outbox starts anew after this sequence number. */
  outboxSeq: z.number().int(),
  heartbeatMs: z.number().int(),
  pollHoldMs: z.number().int(),
  /** A source that stays over its bitrate by this factor is closed. */
  overBitrateFactor: z.number(),
});
export type RegisterResponse = z.infer<typeof registerResponse>;

export const pollRequest = z.object({
  /** The last instruction applied, all before it included. */
  ackSeq: z.number().int(),
});
/** 200 with this, or 204 where nothing came (or a newer poll took over). */
export const pollResponse = z.object({
  instructions: z.array(outboxItem),
  calls: z.array(call),
});
export type PollResponse = z.infer<typeof pollResponse>;

/** An id or another name that control or the agent gave. */
const name = z.string().max(128);

/** Two workers with open pipes between them, of which the peer says nothing. */
export const dryPair = z.object({
  own: workerRef,
  peer: workerRef,
  /**
   * Broadcasts that the pair brought, and should bring: where their own host gets
   * nothing of them either, the pair is well. Empty where the peer is the one who is
   * sent to: that one would go on telling what it received.
   */
  expected: z.array(name).max(8),
});
export type DryPair = z.infer<typeof dryPair>;

/** What happened on a node by itself. */
export const nodeEvent = z.discriminatedUnion("kind", [
  /** DTLS is up, so media can flow to these views (all on one transport). */
  z.object({
    kind: z.literal("views-active"),
    roomId: name,
    sessionId: name,
    viewIds: z.array(name).max(4096),
  }),
  /** Somebody is ready for what these pipes' held legs bring: `start-legs`. */
  z.object({ kind: z.literal("legs-wanted"), pipes: z.array(pipeRef).max(1024) }),
  /** DTLS is up on the transport by which an encoder's session is there at all. */
  z.object({
    kind: z.literal("session-carried"),
    roomId: name,
    sessionId: name,
  }),
  /** A transport closed by itself: DTLS closed or failed, ICE gone for its grace. */
  z.object({
    kind: z.literal("transport-lost"),
    roomId: name,
    sessionId: name,
    transportId: name,
    direction: z.enum(["send", "receive"]),
    /** Set for a sending transport. */
    broadcastId: name.optional(),
    /** Views whose consumers went with a receiving transport. */
    viewIds: z.array(name).max(4096),
    reason: z.string().max(500),
  }),
  /**
   * Who speaks now, among those of a room on one worker: told when somebody begins
   * after a silence, and when another is the loudest. Never written down.
   */
  z.object({
    kind: z.literal("speaker-active"),
    roomId: name,
    workerId: name,
    broadcastId: name,
    /** How loud, in decibels: -127 (nothing) to 0. */
    level: z.number().min(-127).max(0),
  }),
  /** Nobody of a room on one worker speaks any more. */
  z.object({
    kind: z.literal("speaker-silent"),
    roomId: name,
    workerId: name,
  }),
  /** What a viewer gets of a video track. Told to its session, never written down. */
  z.object({
    kind: z.literal("view-quality"),
    roomId: name,
    sessionId: name,
    viewId: name,
    /** mediasoup's score of the stream that is sent, 0-10. */
    score: z.number(),
    spatialLayer: z.number().int().optional(),
    temporalLayer: z.number().int().optional(),
  }),
  /**
   * The highest spatial layer of a broadcast that anyone watches on a worker, -1
   * where nobody sees its picture. Told to its broadcaster, never written down.
   */
  z.object({
    kind: z.literal("layers-wanted"),
    /** A room in which it is watched there. */
    roomId: name,
    broadcastId: name,
    workerId: name,
    spatialLayer: z.number().int().min(-1).max(7),
  }),
  /** A mediasoup worker died and another took its place. */
  z.object({
    kind: z.literal("worker-died"),
    workerId: name,
    incarnation: name,
    replacedBy: name,
  }),
  /**
   * Pipes are open between these workers and their peers, and for some seconds
   * nothing has come of the peers. Told again for as long as it is so.
   */
  z.object({ kind: z.literal("pairs-dry"), pairs: z.array(dryPair).max(1024) }),
  /** The agent ends now and all its media with it; nothing follows this. */
  z.object({ kind: z.literal("node-left") }),
]);
export type NodeEvent = z.infer<typeof nodeEvent>;

export const reportRequest = z.object({
  ackSeq: z.number().int(),
  answers: z.array(callAnswer).max(1024),
  events: z.array(nodeEvent).max(1024),
});
export type ReportRequest = z.infer<typeof reportRequest>;

export const heartbeatRequest = z.object({
  workers: z
    .array(
      z.object({
        workerId: name,
        incarnation: name,
        /** Share of one core, 0-100. */
        cpuPercent: z.number(),
      }),
    )
    .max(1024),
  /** Measured on the host's interfaces or summed over workers, in kbit/s. */
  egressKbps: z.number(),
  ingressKbps: z.number(),
  /** True once the agent was asked to leave and takes nothing new. */
  draining: z.boolean(),
});
export type HeartbeatRequest = z.infer<typeof heartbeatRequest>;

export const heartbeatResponse = z.object({
  /** Views and broadcasts that the ledger still has on this node. */
  claims: z.number().int(),
  /** From here on instead of the one that it has: the secret is being replaced. */
  credential: z.string().optional(),
});
export type HeartbeatResponse = z.infer<typeof heartbeatResponse>;
