import { z } from "zod";
import { watched } from "./api/media.ts";
import { iceServer, trackInfo } from "./media.ts";
import { problemCodes } from "./problems.ts";
import { mediaClass } from "./settings.ts";

/*
 * One WebSocket per session. The client's first message authenticates it. Three
 * numbered streams follow: the room's events and the session's own, numbered by
 * the ledger's commits, and the chat, numbered by the channel.
 */

/** A chat message has at most this many characters. */
export const chatTextMax = 2000;

const clientId = z.string().min(1).max(64);

export const clientMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("hello"),
    credential: z.string().max(4096),
    /** The last event of the room seen; what came after it is sent again. */
    afterSeq: z.number().int().nonnegative(),
    /** The same for the session's own events and for the chat. Default 0. */
    afterOwnSeq: z.number().int().nonnegative().default(0),
    afterChatSeq: z.number().int().nonnegative().default(0),
  }),
  /** Says something; the same `clientId` again is answered, and not said again. */
  z.object({ type: z.literal("chat.send"), clientId, text: z.string().max(16_384) }),
  /** Takes a message back: one's own, or anyone's with `roomAdmin`. */
  z.object({ type: z.literal("chat.delete"), seq: z.number().int().positive() }),
  /** Needs `roomAdmin`. A ban voids the identity's tokens for this room. */
  z.object({
    type: z.literal("moderate"),
    action: z.enum(["mute", "unmute", "kick", "ban", "unban"]),
    identity: z.string().min(1).max(64),
  }),
  /** Asks for a fresh credential, which `credential` brings. */
  z.object({ type: z.literal("renew") }),
  /** How many messages arrived in all: a socket that falls far behind is dropped. */
  z.object({ type: z.literal("ack"), received: z.number().int().nonnegative() }),
]);
export type ClientMessage = z.input<typeof clientMessage>;

export const broadcastInfo = z.object({
  id: z.string(),
  sessionId: z.string(),
  identity: z.string(),
  media: mediaClass,
  tracks: z.array(trackInfo),
  /** Its media does not arrive at present; it comes back or stops. */
  interrupted: z.boolean().optional(),
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
  z.object({
    type: z.literal("broadcast.stopped"),
    broadcastId: z.string(),
    /** Where nobody stopped it: an encoder that was lost, or sent too much. */
    reason: z.string().optional(),
  }),
  /** Its media does not arrive at present; it comes back or stops. */
  z.object({
    type: z.literal("broadcast.interrupted"),
    broadcastId: z.string(),
    reason: z.string(),
  }),
  z.object({ type: z.literal("broadcast.resumed"), broadcastId: z.string() }),
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
  z.object({ type: z.literal("room.opened"), tier: z.number().int() }),
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

/** What happens to one session, and is told to it alone. */
export const ownEvent = z.discriminatedUnion("type", [
  /** The host has seen the view's media connected: it is no longer only a claim. */
  z.object({
    type: z.literal("view.ready"),
    viewId: z.string(),
    broadcastId: z.string(),
  }),
  /** The view's media is gone, though its broadcast is not: watch it again. */
  z.object({
    type: z.literal("view.lost"),
    viewId: z.string(),
    broadcastId: z.string(),
    reason: z.string(),
    /** Set where nothing has room for it: a seat is granted when there is. */
    code: z.enum(problemCodes).optional(),
  }),
  /**
   * Another seat is kept for the view. Watching the broadcast again brings the
   * media of `toViewId`. The old view runs on for `oldRunsMs` (0: it is gone
   * already); ending it earlier tells that the new one's picture is there.
   */
  z.object({
    type: z.literal("view.moved"),
    viewId: z.string(),
    toViewId: z.string(),
    broadcastId: z.string(),
    reason: z.string(),
    oldRunsMs: z.number().int().nonnegative(),
  }),
  /**
   * A view that waited for room has a seat: watch it. It had been lost and nothing
   * had room, or it was refused and others were moved to make room for it.
   */
  z.object({
    type: z.literal("view.granted"),
    viewId: z.string(),
    broadcastId: z.string(),
  }),
  /**
   * The view's broadcast comes from another worker or transport now: sync the
   * view to get its new consumers. The old ones run on for `oldRunsMs`.
   */
  z.object({
    type: z.literal("view.renewed"),
    viewId: z.string(),
    broadcastId: z.string(),
    oldRunsMs: z.number().int().nonnegative(),
  }),
  /**
   * The session's own broadcast has to be sent to another worker or through a
   * new transport, within `withinMs`. What is sent now arrives for `oldRunsMs`.
   */
  z.object({
    type: z.literal("broadcast.moved"),
    broadcastId: z.string(),
    reason: z.string(),
    oldRunsMs: z.number().int().nonnegative(),
    withinMs: z.number().int().positive(),
  }),
]);
export type OwnEvent = z.infer<typeof ownEvent>;

/** One chat message as everyone sees it. */
export const chatMessage = z.object({
  seq: z.number().int(),
  /** Milliseconds since 1970, by the server's clock. */
  atMs: z.number().int(),
  sessionId: z.string(),
  identity: z.string(),
  text: z.string(),
});
export type ChatMessage = z.infer<typeof chatMessage>;

/** The room as it is now, for a client that was away too long to be told all. */
export const roomState = z.object({
  seq: z.number().int(),
  ownSeq: z.number().int(),
  tier: z.number().int(),
  sessions: z.array(z.object({ id: z.string(), identity: z.string() })),
  broadcasts: z.array(broadcastInfo),
  /** The views that the session still holds, with their broadcasts. */
  views: z.array(z.object({ id: z.string(), broadcastId: z.string() })),
});
export type RoomStateWire = z.infer<typeof roomState>;

export const serverMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("welcome"),
    seq: z.number().int(),
    roomAdmin: z.boolean(),
    /** Identities whose chat messages are refused; `moderated` tells of changes. */
    muted: z.array(z.string()).default([]),
  }),
  /** The session's fresh credential; the former is good until its own end. */
  z.object({
    type: z.literal("credential"),
    credential: z.string(),
    credentialExpiresAt: z.iso.datetime(),
    iceServers: z.array(iceServer),
  }),
  z.object({ type: z.literal("event"), seq: z.number().int(), event: roomEvent }),
  z.object({ type: z.literal("own"), seq: z.number().int(), event: ownEvent }),
  /** Who speaks now; unnumbered, as nobody needs to know who spoke. */
  z.object({ type: z.literal("speaker.active"), broadcastId: z.string() }),
  /** What arrives of a video track; unnumbered, to its session alone. */
  z.object({
    type: z.literal("view.quality"),
    viewId: z.string(),
    score: z.number(),
    spatialLayer: z.number().int().optional(),
    temporalLayer: z.number().int().optional(),
  }),
  /**
   * The highest spatial layer of the session's own broadcast that anyone watches,
   * -1 for none: what is above it need not be sent. Unnumbered; until it is told
   * again after a reconnection, all layers are wanted.
   */
  z.object({
    type: z.literal("broadcast.layers"),
    broadcastId: z.string(),
    spatialLayer: z.number().int(),
  }),
  /** Media of views that an answer called `pending`; unnumbered, to its session. */
  z.object({ type: z.literal("views.brought"), watched }),
  z.object({ type: z.literal("resync"), state: roomState }),
  /** Chat messages in order: history after a hello, or one that was just said. */
  z.object({ type: z.literal("chat"), messages: z.array(chatMessage) }),
  /** The sender's own message has its place. */
  z.object({
    type: z.literal("chat.receipt"),
    clientId: z.string(),
    seq: z.number().int(),
    atMs: z.number().int(),
  }),
  z.object({
    type: z.literal("chat.refused"),
    clientId: z.string(),
    code: z.enum(["slow-down", "muted", "too-long", "empty"]),
    /** Milliseconds after which it may be sent again, where that helps. */
    retryAfterMs: z.number().int().optional(),
  }),
  z.object({ type: z.literal("chat.deleted"), seq: z.number().int() }),
  z.object({
    type: z.literal("moderated"),
    action: z.enum(["mute", "unmute", "kick", "ban", "unban"]),
    identity: z.string(),
    by: z.string(),
  }),
  z.object({ type: z.literal("moderation.refused"), reason: z.string() }),
  z.object({
    type: z.literal("refused"),
    code: z.enum([
      "unauthenticated",
      "room-closed",
      "superseded",
      "too-slow",
      "kicked",
      "banned",
    ]),
  }),
]);
export type ServerMessage = z.infer<typeof serverMessage>;
