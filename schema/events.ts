import { z } from "zod";
import { trackInfo } from "./media.ts";
import { problemCodes } from "./problems.ts";
import { mediaClass } from "./settings.ts";

/*
 * What happens, as the ledger numbers it and the channel tells it: the room's events
 * to all of its sessions, a session's own to that session alone.
 */

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
