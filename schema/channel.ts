import { z } from "zod";
import { trackSource } from "./media.ts";
import { mediaClass } from "./settings.ts";

/*
 * One WebSocket per session. The client's first message authenticates it; the
 * room's events follow, numbered by the ledger's commits.
 */

export const clientMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    credential: z.string().max(4096),
    /** The last event seen; what came after it is sent again. */
    afterSeq: z.number().int().nonnegative(),
  }),
]);
export type ClientMessage = z.infer<typeof clientMessage>;

export const trackInfo = z.object({
  id: z.string(),
  source: trackSource,
  paused: z.boolean(),
});

export const broadcastInfo = z.object({
  id: z.string(),
  sessionId: z.string(),
  identity: z.string(),
  media: mediaClass,
  tracks: z.array(trackInfo),
});
export type BroadcastInfo = z.infer<typeof broadcastInfo>;

/** What happens in a room, as its sessions see it. */
export const roomEvent = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("session.joined"),
    sessionId: z.string(),
    identity: z.string(),
  }),
  z.object({ type: z.literal("session.left"), sessionId: z.string() }),
  /** The broadcast's first track is there: it can be watched from now on. */
  z.object({ type: z.literal("broadcast.started"), broadcast: broadcastInfo }),
  z.object({ type: z.literal("broadcast.stopped"), broadcastId: z.string() }),
  z.object({
    type: z.literal("track.added"),
    broadcastId: z.string(),
    track: trackInfo,
  }),
  z.object({
    type: z.literal("track.muted"),
    broadcastId: z.string(),
    trackId: z.string(),
  }),
  z.object({
    type: z.literal("track.unmuted"),
    broadcastId: z.string(),
    trackId: z.string(),
  }),
  z.object({
    type: z.literal("track.removed"),
    broadcastId: z.string(),
    trackId: z.string(),
  }),
  /** The view's media is gone, though its broadcast is not: watch it again. */
  z.object({
    type: z.literal("view.lost"),
    sessionId: z.string(),
    viewId: z.string(),
    broadcastId: z.string(),
    reason: z.string(),
  }),
  /** Hosts were lost, and the room's reservation could not be made whole elsewhere. */
  z.object({ type: z.literal("reservation.reduced"), reason: z.string() }),
  z.object({ type: z.literal("room.closed"), reason: z.string() }),
  /** The tier changed: say hello again within the time, or the session ends. */
  z.object({
    type: z.literal("room.reopened"),
    tier: z.number().int(),
    previousTier: z.number().int(),
    epoch: z.number().int(),
    withinMs: z.number().int(),
  }),
]);
export type RoomEvent = z.infer<typeof roomEvent>;

export const serverMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("welcome"), seq: z.number().int() }),
  z.object({ type: z.literal("event"), seq: z.number().int(), event: roomEvent }),
  z.object({
    type: z.literal("refused"),
    code: z.enum(["unauthenticated", "room-closed", "superseded"]),
  }),
]);
export type ServerMessage = z.infer<typeof serverMessage>;
