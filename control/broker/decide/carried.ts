import type { ToldCaps } from "#schema/caps.ts";
import { sourcesOf } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";
import { namePassedOver } from "../../placement/explain.ts";
import { capViews, learnCaps } from "../account-caps.ts";
import { endSession } from "../claims.ts";
import { roomDecision, sessionDecision } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { seatsOf } from "../moves.ts";
import { isOn } from "../node-state.ts";
import { claimPlaced, placeSeats } from "../seats.ts";
import type { RoomState, SessionRow } from "../state.ts";
import { type ClaimedBroadcast, takePlace } from "./broadcasts.ts";
import { placeFor, sourceRefusal } from "./may-broadcast.ts";
import {
  addSession,
  type Entering,
  entryRefusal,
  fullRefusal,
  newSession,
} from "./sessions.ts";
import { type ClaimedView, describeViews } from "./views.ts";

/*
 * Sessions that have no channel: an encoder (WHIP) or a player (WHEP) is present
 * by one transport, from the commit that claims its place until that is gone.
 */

/** The bearer of an encoder's or player's token, in the token's room. */
type Joining = Entering & {
  roomId: string;
  /** The account of the token's key; another's room is as good as none. */
  accountId?: string;
  /** What the account may hold, as its token's key was read with. */
  caps?: ToldCaps;
};

export interface StartedIngest extends ClaimedBroadcast {
  sessionId: string;
  trackIds: { audio: string; video: string };
}

/**
 * Lets an encoder in and claims its producer place, in one commit. What the same
 * identity ingests there already ends: an encoder that comes back after a crash
 * must not stand in its own way.
 */
export const startIngest = roomDecision<Joining & { media: MediaClass }, StartedIngest>(
  (draft, input, room) => {
    const { identity, media } = input;
    if (isAnothers(input, room)) return { refusal: "not-found" };
    learnCaps(draft, room.row.accountId, input.caps);
    const barred = entryRefusal(room, identity);
    if (barred) return barred;
    const grants = { ...input, canSubscribe: false, roomAdmin: false };
    const session = newSession(draft, room, grants, "whip");
    for (const source of Object.values(sourcesOf[media])) {
      const refused = sourceRefusal(session, source);
      if (refused) return refused;
    }
    const ended = input.canPublish && endEarlier(draft, room, identity, media);
    const full = fullRefusal(draft, room, ended);
    if (full) return full;
    const place = placeFor(draft, media, room, session);
    if ("refusal" in place) return place;
    addSession(draft, room, session);
    const claimed = takePlace(draft, media, room, session, place);
    const trackIds = { audio: draft.newId("track"), video: draft.newId("track") };
    return { ...claimed, sessionId: session.id, trackIds };
  },
);

function isAnothers({ accountId }: Joining, { row }: RoomState): boolean {
  return accountId !== undefined && accountId !== row.accountId;
}

function endEarlier(
  draft: Draft,
  room: RoomState,
  identity: string,
  media: MediaClass,
): boolean {
  let ended = false;
  for (const broadcastId of [...room.broadcasts]) {
    const row = draft.state.broadcasts.get(broadcastId)?.row;
    const earlier = row && room.sessions.get(row.sessionId);
    if (earlier?.carrier !== "whip" || earlier.identity !== identity) continue;
    if (row?.mediaClass !== media) continue;
    endSession(draft, room, earlier);
    ended = true;
  }
  return ended;
}

export interface StartedPlayback {
  sessionId: string;
  view: ClaimedView;
  /** The instruction sequences after which calls may run, by node. */
  afterSeq: Record<string, number>;
}

/** Lets a player in and claims its seat for one broadcast, in one commit. */
export const startPlayback = roomDecision<
  Joining & { broadcastId: string },
  StartedPlayback
>((draft, input, room) => {
  const { identity, broadcastId } = input;
  const broadcast = draft.state.broadcasts.get(broadcastId);
  const shown = room.broadcasts.has(broadcastId) && (broadcast?.tracks.size ?? 0) > 0;
  if (isAnothers(input, room) || !shown) {
    return { refusal: "not-found", detail: "It is not live in the token's room." };
  }
  learnCaps(draft, room.row.accountId, input.caps);
  const barred = entryRefusal(room, identity);
  if (barred) return barred;
  if (!input.canSubscribe) {
    return { refusal: "forbidden", detail: "The token does not let its bearer watch." };
  }
  const full = fullRefusal(draft, room, false);
  if (full) return full;
  const grants = { ...input, canPublish: false, roomAdmin: false };
  const session = newSession(draft, room, grants, "whep");
  const [over] = capViews(draft, room, session.id, [broadcastId]).refused;
  if (over) return over.refusal;
  const { placed, refused } = placeSeats(draft, room, session, [broadcastId]);
  const [seat] = placed;
  if (!seat) {
    const { code, passedOver } = refused[0] ?? { code: "no-consumer-capacity" };
    return { refusal: code, detail: namePassedOver(passedOver), retryAfter: 5 };
  }
  addSession(draft, room, session);
  const claimed = claimPlaced(draft, room, session, seat);
  const { views, afterSeq } = describeViews(draft, [claimed]);
  const [view] = views;
  if (!view) throw new Error("The claimed view is not described.");
  return { sessionId: session.id, view, afterSeq };
});

/** The transport by which a session is there is up: it is no longer only a claim. */
export const carrySession = sessionDecision<
  { roomId: string; sessionId: string; nodeId?: string },
  Record<string, never>
>((draft, { nodeId }, room, session) => {
  if (session.carrier === "channel") return {};
  const places = [...room.broadcasts]
    .map((id) => draft.state.broadcasts.get(id)?.row)
    .filter((row) => row?.sessionId === session.id)
    .map((row) => ({ workerId: row?.workerId ?? "" }));
  // Only the node that has the transport can know.
  const here = [...places, ...seatsOf(room, session.id)].some((at) => isOn(nodeId, at));
  if (here) draft.clearDeadline("session-attach", session.id);
  return {};
});

/** Whether a session may publish, by itself or through an encoder of its own. */
export const mayPublish = sessionDecision<
  { roomId: string; sessionId: string },
  { allowed: true }
>((_, __, room, { canPublish }) => {
  if (room.row.state !== "open") return { refusal: "room-closed" };
  if (canPublish) return { allowed: true };
  const detail = "The session's token does not let it publish.";
  return { refusal: "forbidden", detail };
});

/** Finds the transport of an identity's own session that lives by one. */
export const locateCarried = sessionDecision<
  {
    roomId: string;
    sessionId: string;
    identity: string;
    carrier: Exclude<SessionRow["carrier"], "channel">;
  },
  { transportId: string }
>((draft, { identity, carrier }, room, session) => {
  if (session.identity !== identity || session.carrier !== carrier) {
    return { refusal: "not-found" };
  }
  const sent = [...room.broadcasts]
    .map((id) => draft.state.broadcasts.get(id)?.row)
    .find((row) => row?.sessionId === session.id);
  const [view] = room.viewsBySession.get(session.id)?.values() ?? [];
  const transportId = sent?.transportId ?? view?.transportId;
  return transportId ? { transportId } : { refusal: "not-found" };
});
