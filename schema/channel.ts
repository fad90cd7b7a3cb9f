import { z } from "zod";
import { watched } from "./api/media.ts";
import { broadcastInfo, ownEvent, roomEvent } from "./events.ts";
import { iceServer } from "./media.ts";

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
