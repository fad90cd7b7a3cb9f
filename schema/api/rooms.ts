import { z } from "zod";
import { broadcastInfo } from "../events.ts";
import { idOf, zoneName } from "../ids.ts";
import { iceServer, rtpCapabilities, trackSource, videoCodec } from "../media.ts";

const name = z.string().min(1).max(80);
/** A participant's identity: the application's own name for a person. */
export const identity = z.string().min(1).max(64);

export const createRoom = z
  .object({
    tier: z.number().int().min(0).max(63).meta({ description: "The room's tier, 0-6." }),
    name: name.optional(),
    zone: zoneName.optional(),
    reserve: z
      .boolean()
      .default(false)
      .meta({ description: "Grant the tier's whole weight now, or refuse." }),
    codec: videoCodec.default("vp8").meta({
      description: "What its broadcasters send; browsers that cannot send VP8.",
    }),
  })
  .meta({ id: "CreateRoom" });

export const patchRoom = z
  .object({
    name: name.optional(),
    /** A new tier closes and reopens the room; running views keep their seats. */
    tier: z.number().int().min(0).max(63).optional(),
    reserve: z.boolean().optional(),
  })
  .meta({ id: "PatchRoom" });

export const room = z
  .object({
    id: idOf("room"),
    zone: zoneName,
    name: z.string(),
    tier: z.number().int(),
    state: z.enum(["open", "closed"]),
    epoch: z.number().int(),
    reserve: z.boolean(),
    codec: videoCodec,
    createdAt: z.iso.datetime(),
    broadcasts: z.object({ live: z.number().int(), max: z.number().int() }),
    sessions: z.object({ present: z.number().int(), max: z.number().int() }),
  })
  .meta({ id: "Room" });
export type Room = z.infer<typeof room>;

/** What opening or changing a room answers. */
export const openedRoom = room
  .extend({
    warnings: z.array(z.string()).optional().meta({
      description: "What the account should look after: an entitlement that ends soon.",
    }),
  })
  .meta({ id: "OpenedRoom" });
export type OpenedRoom = z.infer<typeof openedRoom>;

export const roomList = z
  .object({ rooms: z.array(room), nextCursor: z.string().optional() })
  .meta({ id: "RoomList" });

export const createToken = z
  .object({
    identity,
    canPublish: z.boolean().default(true),
    canPublishSources: z
      .array(trackSource)
      .max(4)
      .optional()
      .meta({ description: "What it may send; everything unless given." }),
    canSubscribe: z.boolean().default(true),
    roomAdmin: z.boolean().default(false),
    ttlSeconds: z.number().int().min(10).max(604_800).default(600),
  })
  .meta({ id: "CreateToken" });

export const token = z
  .object({ token: z.string(), expiresAt: z.iso.datetime() })
  .meta({ id: "Token" });

export const createRevocation = z
  .object({
    identity,
    before: z.iso.datetime().optional().meta({
      description: "Void what was issued before this; now unless given.",
    }),
    endSessions: z.boolean().default(true).meta({
      description: "Send the identity's sessions out of the room too.",
    }),
  })
  .meta({ id: "CreateRevocation" });

export const revocation = z
  .object({
    identity: z.string(),
    before: z.iso.datetime(),
    /** The sessions that ended. */
    sessions: z.array(z.string()),
  })
  .meta({ id: "Revocation" });

/** Shows a broadcast in a second room: that room's join token says who may. */
export const showBroadcast = z
  .object({ token: z.string().max(4096) })
  .meta({ id: "ShowBroadcast" });

export const shownBroadcast = z
  .object({ broadcastId: idOf("broadcast"), rooms: z.array(idOf("room")) })
  .meta({ id: "ShownBroadcast" });

export const sessionInfo = z
  .object({ id: idOf("session"), identity: z.string() })
  .meta({ id: "Session" });

export const enterRoom = z.object({}).meta({ id: "EnterRoom" });

/** All that a client needs to take part. */
export const entry = z
  .object({
    session: sessionInfo,
    credential: z.string(),
    credentialExpiresAt: z.iso.datetime(),
    room,
    /** Absent while the zone has no node. */
    routerRtpCapabilities: rtpCapabilities.optional(),
    iceServers: z.array(iceServer),
    channelPath: z.string(),
    /** The room's event sequence that the lists below include. */
    eventSeq: z.number().int(),
    sessions: z.array(sessionInfo),
    broadcasts: z.array(broadcastInfo),
    /** Pictures that a client shows at once unless told otherwise; sound is for all. */
    picturesMax: z.number().int(),
  })
  .meta({ id: "Entry" });
export type Entry = z.infer<typeof entry>;

export const sessionList = z
  .object({ sessions: z.array(sessionInfo) })
  .meta({ id: "SessionList" });

export const credential = z
  .object({
    credential: z.string(),
    credentialExpiresAt: z.iso.datetime(),
    /** Anew, as a TURN server's passwords end too. */
    iceServers: z.array(iceServer),
  })
  .meta({ id: "Credential" });
