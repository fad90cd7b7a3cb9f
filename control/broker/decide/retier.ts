import type { Room } from "#schema/api/rooms.ts";
import type { ToldCaps } from "#schema/caps.ts";
import { learnCaps } from "../account-caps.ts";
import { type Refusal, roomDecision } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { giveBackReservation, reserveTier } from "../reservations.ts";
import type { RoomState } from "../state.ts";
import { roomView } from "./rooms.ts";

/**
 * Changes a room: its name, its tier, whether its tier is reserved. A new tier
 * closes and reopens the room in one commit: the reservation moves worker by
 * worker, every view keeps its seat as inherited, and each session has
 * `sessionAttachMs` to show on its channel that it is still there. A refused
 * change leaves the room as it was.
 */
export const changeRoom = roomDecision<
  {
    roomId: string;
    accountId: string;
    name?: string;
    tier?: number;
    reserve?: boolean;
    /** The highest tier that the account may open rooms of. Default: any. */
    entitledTier?: number;
    /** What the account may hold, as the accounts say. */
    caps?: ToldCaps;
  },
  Room
>((draft, { accountId, name, caps, ...change }, room) => {
  const { row } = room;
  if (row.accountId !== accountId) return { refusal: "not-found" };
  learnCaps(draft, accountId, caps);
  const tier = change.tier ?? row.tier;
  const { entitledTier = tier } = change;
  if (tier > row.tier && tier > entitledTier)
    return entitlementRefusal(tier, entitledTier);
  const reserve = change.reserve ?? row.reserve;
  if (tier !== row.tier || reserve !== row.reserve) {
    const refusal = retier(draft, room, tier, reserve);
    if (refusal) return refusal;
  }
  if (name !== undefined) row.name = name;
  draft.touchRoom(room);
  return roomView(row);
});

/** Tells an account that it may not open rooms of a tier, and how it may. */
export function entitlementRefusal(wanted: number, entitled: number): Refusal {
  const detail =
    `The account may open rooms up to tier ${entitled}, and not of tier ${wanted}: ` +
    "buy a higher tier, or ask the operator for an entitlement. " +
    "GET /v1/account shows what it has.";
  return { refusal: "entitlement-missing", detail };
}

function retier(
  draft: Draft,
  room: RoomState,
  tier: number,
  reserve: boolean,
): Refusal | undefined {
  const { row } = room;
  const refusal = tierRefusal(draft, room, tier);
  if (refusal) return refusal;
  if (reserve) {
    const missing = reserveTier(draft, room, tier);
    if (missing) return missing;
  } else if (row.reserve) giveBackReservation(draft, room);
  row.reserve = reserve;
  if (tier === row.tier) return undefined;
  const limits = draft.settings.tiers[tier];
  const previousTier = row.tier;
  row.tier = tier;
  row.epoch += 1;
  row.broadcastsMax = limits?.broadcasts ?? 0;
  row.sessionsMax = limits?.viewers ?? 0;
  const { sessionAttachMs } = draft.settings.timing;
  for (const session of room.sessions.values()) {
    // Whoever has no channel cannot say hello there: its media tells that it lives.
    if (session.carrier !== "channel") continue;
    draft.detach(room, session);
    draft.changes.sessions.put(session);
    draft.clearDeadline("session-grace", session.id);
    draft.setDeadline("session-attach", session.id, row.id, sessionAttachMs);
  }
  draft.emit(room, {
    type: "room.reopened",
    tier,
    previousTier,
    epoch: row.epoch,
    withinMs: sessionAttachMs,
  });
  return undefined;
}

function tierRefusal(
  draft: Draft,
  { row }: RoomState,
  tier: number,
): Refusal | undefined {
  const limits = draft.settings.tiers[tier];
  if (row.state !== "open") return { refusal: "room-closed" };
  if (!limits) {
    const last = draft.settings.tiers.length - 1;
    return {
      refusal: "validation-failed",
      detail: `tier: there are tiers 0 to ${last}.`,
    };
  }
  if (row.sessionsPresent > limits.viewers) {
    return {
      refusal: "room-full",
      detail: `${row.sessionsPresent} sessions are present; tier ${tier} has room for ${limits.viewers}.`,
    };
  }
  if (row.broadcastsLive > limits.broadcasts) {
    return {
      refusal: "tier-broadcasts-exceeded",
      detail: `${row.broadcastsLive} broadcasts are live; tier ${tier} has room for ${limits.broadcasts}.`,
    };
  }
  return undefined;
}
