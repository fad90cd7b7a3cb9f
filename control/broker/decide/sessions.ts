import type { Room } from "#schema/api/rooms.ts";
import type { ToldCaps } from "#schema/caps.ts";
import type { RoomStateWire } from "#schema/channel.ts";
import type { BroadcastInfo } from "#schema/events.ts";
import type { TrackSource } from "#schema/media.ts";
import { capRefusal, learnCaps } from "../account-caps.ts";
import { endSession, endSessionsOf } from "../claims.ts";
import { type Refusal, roomDecision, sessionDecision } from "../decision.ts";
import type { Draft } from "../draft.ts";
import type { BroadcastState, RoomState, SessionRow, ZoneState } from "../state.ts";
import { roomView } from "./rooms.ts";

export interface Entered {
  sessionId: string;
  room: Room;
  eventSeq: number;
  sessions: { id: string; identity: string }[];
  broadcasts: BroadcastInfo[];
  /** Of the zone's codecs, once it has a media host. */
  codecsHash?: string;
}

/**
 * Lets one more participant in, up to the tier's mark. Who comes back gives the
 * session that they had before back first.
 */
export const enterRoom = roomDecision<
  Entering & {
    roomId: string;
    /** The account of the token's key; another's room is as good as none. */
    accountId?: string;
    /** What the account may hold, as its token's key was read with. */
    caps?: ToldCaps;
    /** A session of the same identity that the new one takes the place of. */
    replaces?: string;
  },
  Entered
>((draft, input, room) => {
  const { row } = room;
  if (input.accountId && input.accountId !== row.accountId) {
    return { refusal: "not-found" };
  }
  learnCaps(draft, row.accountId, input.caps);
  const barred = entryRefusal(room, input.identity);
  if (barred) return barred;
  const replaced = input.replaces && room.sessions.get(input.replaces);
  if (replaced) endSession(draft, room, replaced);
  const full = fullRefusal(draft, room, replaced !== undefined);
  if (full) return full;
  const session = newSession(draft, room, input, "channel");
  addSession(draft, room, session);
  return {
    sessionId: session.id,
    room: roomView(row),
    eventSeq: row.eventSeq,
    sessions: sessionsOf(room),
    broadcasts: liveBroadcasts(draft.state, room),
    codecsHash: draft.state.codecs?.hash,
  };
});

/** Why an identity may not come in at all. */
export function entryRefusal({ row, bans }: RoomState, identity: string) {
  if (row.state !== "open") return { refusal: "room-closed" } as const;
  return bans.has(identity) ? ({ refusal: "banned" } as const) : undefined;
}

/**
 * Why there is no room for one more session.
 * @param replaces whether it takes the place of one that its account had
 */
export function fullRefusal(
  draft: Draft,
  { row }: RoomState,
  replaces: boolean,
): Refusal | undefined {
  if (row.sessionsPresent < row.sessionsMax) {
    return replaces ? undefined : capRefusal(draft, row.accountId, "sessions", 1);
  }
  return {
    refusal: "room-full",
    detail: `Tier ${row.tier} has room for ${row.sessionsMax} sessions.`,
    retryAfter: 10,
  };
}

/** Whoever comes in, and what their token lets them do. */
export interface Entering {
  identity: string;
  canPublish: boolean;
  /** Absent: everything. */
  canPublishSources?: TrackSource[];
  canSubscribe: boolean;
  roomAdmin: boolean;
}

/** A session's row, which `addSession` has to add. */
export function newSession(
  draft: Draft,
  room: RoomState,
  { identity, canPublish, canPublishSources, canSubscribe, roomAdmin }: Entering,
  carrier: SessionRow["carrier"],
): SessionRow {
  return {
    id: draft.newId("session"),
    roomId: room.row.id,
    identity,
    canPublish,
    publishSources: canPublishSources ?? null,
    canSubscribe,
    roomAdmin,
    attached: false,
    carrier,
    enteredAtMs: draft.nowMs,
    eventSeq: 0,
  };
}

/** Lets a session in; it has `sessionAttachMs` for its channel or transport. */
export function addSession(draft: Draft, room: RoomState, session: SessionRow): void {
  const { id: sessionId, identity } = session;
  room.sessions.set(sessionId, session);
  room.row.sessionsPresent += 1;
  const use = draft.accountUse(room.row.accountId);
  use.sessionsPresent += 1;
  draft.touchAccount(use);
  draft.changes.sessions.put(session);
  const { sessionAttachMs } = draft.settings.timing;
  draft.setDeadline("session-attach", sessionId, room.row.id, sessionAttachMs);
  draft.emit(room, { type: "session.joined", sessionId, identity });
}

/** Who is in a room. */
export const listSessions = roomDecision<
  { roomId: string; accountId?: string },
  { sessions: { id: string; identity: string }[] }
>((_, { accountId }, room) =>
  accountId && room.row.accountId !== accountId
    ? { refusal: "not-found" }
    : { sessions: sessionsOf(room) },
);

/** Ends a session: leaving twice gives everything back once. */
export const leaveRoom = roomDecision<
  { roomId: string; sessionId: string; accountId?: string },
  { left: boolean }
>((draft, { sessionId, accountId }, room) => {
  if (accountId && room.row.accountId !== accountId) return { refusal: "not-found" };
  const session = room.sessions.get(sessionId);
  if (session) endSession(draft, room, session);
  return { left: session !== undefined };
});

export interface Attached {
  /** The last event numbers of the room's and of the session's own stream. */
  eventSeq: number;
  ownSeq: number;
  roomAdmin: boolean;
  identity: string;
}

/** Ends all sessions of an identity in one of an account's rooms. */
export const endIdentity = roomDecision<
  { roomId: string; accountId: string; identity: string },
  { sessions: string[] }
>((draft, { accountId, identity }, room) => {
  if (room.row.accountId !== accountId) return { refusal: "not-found" };
  return { sessions: endSessionsOf(draft, room, identity) };
});

/** The session's channel is connected: it is present for good. */
export const attachSession = sessionDecision<
  { roomId: string; sessionId: string },
  Attached
>((draft, _, room, session) => {
  draft.clearDeadline("session-attach", session.id);
  draft.clearDeadline("session-grace", session.id);
  if (!session.attached) {
    session.attached = true;
    draft.changes.sessions.put(session);
  }
  const { roomAdmin, identity, eventSeq: ownSeq } = session;
  return { eventSeq: room.row.eventSeq, ownSeq, roomAdmin, identity };
});

/** The session's channel is gone: it has its grace to come back. */
export const detachSession = sessionDecision<
  { roomId: string; sessionId: string },
  Record<string, never>
>((draft, _, room, session) => {
  if (session.attached) {
    session.attached = false;
    draft.changes.sessions.put(session);
    const { sessionGraceMs } = draft.settings.timing;
    draft.setDeadline("session-grace", session.id, room.row.id, sessionGraceMs);
  }
  return {};
});

/** The room as one of its sessions should see it now. */
export const readRoomState = sessionDecision<
  { roomId: string; sessionId: string },
  RoomStateWire
>(({ state }, _, room, session) => {
  const views = [...(room.viewsBySession.get(session.id)?.values() ?? [])];
  return {
    seq: room.row.eventSeq,
    ownSeq: session.eventSeq,
    tier: room.row.tier,
    sessions: sessionsOf(room),
    broadcasts: liveBroadcasts(state, room),
    views: views.map(({ id, broadcastId }) => ({ id, broadcastId })),
  };
});

function sessionsOf(room: RoomState): { id: string; identity: string }[] {
  return [...room.sessions.values()].map(({ id, identity }) => ({ id, identity }));
}

/** The broadcasts of a room that have something to see or hear. */
function liveBroadcasts(state: ZoneState, room: RoomState): BroadcastInfo[] {
  return [...room.broadcasts]
    .map((id) => state.broadcasts.get(id))
    .filter((broadcast) => broadcast !== undefined && broadcast.tracks.size > 0)
    .map((broadcast) => broadcastView(broadcast as BroadcastState));
}

/** A broadcast as the API and the channel show it. */
export function broadcastView({ row, tracks }: BroadcastState): BroadcastInfo {
  return {
    id: row.id,
    sessionId: row.sessionId,
    identity: row.identity,
    media: row.mediaClass,
    tracks: [...tracks.values()].map(({ id, source, paused }) => ({
      id,
      source,
      paused,
    })),
    ...(row.state === "interrupted" ? { interrupted: true } : {}),
  };
}
