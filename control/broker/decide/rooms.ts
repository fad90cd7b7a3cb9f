import type { Room } from "#schema/api/rooms.ts";
import type { ToldCaps } from "#schema/caps.ts";
import { zoneOf } from "#schema/ids.ts";
import type { VideoCodec } from "#schema/media.ts";
import { capRefusal, learnCaps } from "../account-caps.ts";
import { endSession, hideBroadcast } from "../claims.ts";
import { type Decision, roomDecision } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { giveBackReservation, reserveTier } from "../reservations.ts";
import type { RoomRow, RoomState } from "../state.ts";

/** Opens a room of a tier. */
export const createRoom: Decision<
  {
    accountId: string;
    tier: number;
    name?: string;
    reserve: boolean;
    codec?: VideoCodec;
    /** What the account may hold, as the accounts say. */
    caps?: ToldCaps;
  },
  Room
> = {
  rooms: () => [],
  decide(draft, { accountId, tier, name, reserve, codec = "vp8", caps }) {
    const limits = draft.settings.tiers[tier];
    if (!limits) {
      const last = draft.settings.tiers.length - 1;
      return {
        refusal: "validation-failed",
        detail: `tier: there are tiers 0 to ${last}.`,
      };
    }
    learnCaps(draft, accountId, caps);
    const over = capRefusal(draft, accountId, "rooms", 1);
    if (over) return over;
    const id = draft.newId("room");
    const row: RoomRow = {
      id,
      accountId,
      name: name ?? `Room ${id.slice(-4)}`,
      tier,
      state: "open",
      epoch: 1,
      reserve,
      codec,
      createdAtMs: draft.nowMs,
      eventSeq: 0,
      broadcastsMax: limits.broadcasts,
      broadcastsLive: 0,
      sessionsMax: limits.viewers,
      sessionsPresent: 0,
    };
    const room = emptyRoom(row, draft.nowMs);
    const refusal = reserve ? reserveTier(draft, room, tier) : undefined;
    if (refusal) return refusal;
    draft.state.rooms.set(id, room);
    const use = draft.accountUse(accountId);
    use.roomsOpen += 1;
    draft.touchAccount(use);
    draft.emit(room, { type: "room.opened", tier });
    return roomView(row);
  },
};

/** Reads a room; another account's is as good as none. */
export const readRoom = roomDecision<{ roomId: string; accountId?: string }, Room>(
  (_, { accountId }, { row }) =>
    accountId && row.accountId !== accountId ? { refusal: "not-found" } : roomView(row),
);

/** Closes a room: everyone leaves, everything held is given back. Twice is once. */
export const closeRoom = roomDecision<{ roomId: string; accountId: string }, Room>(
  (draft, { accountId }, room) => {
    if (room.row.accountId !== accountId) return { refusal: "not-found" };
    if (room.row.state === "open") shutRoom(draft, room, "closed by its owner");
    return roomView(room.row);
  },
);

function shutRoom(draft: Draft, room: RoomState, reason: string): void {
  room.row.state = "closed";
  for (const session of [...room.sessions.values()]) endSession(draft, room, session);
  // What is left here is at home in other rooms, and goes on there.
  for (const broadcastId of [...room.broadcasts]) {
    const broadcast = draft.state.broadcasts.get(broadcastId);
    if (broadcast) hideBroadcast(draft, broadcast, room, true);
  }
  giveBackReservation(draft, room);
  const use = draft.accountUse(room.row.accountId);
  use.roomsOpen -= 1;
  draft.touchAccount(use);
  draft.emit(room, { type: "room.closed", reason });
}

export function emptyRoom(row: RoomRow, nowMs: number): RoomState {
  return {
    row,
    sessions: new Map(),
    broadcasts: new Set(),
    views: new Map(),
    viewsBySession: new Map(),
    moves: new Map(),
    shunned: new Map(),
    bans: new Set(),
    keys: new Map(),
    touchedAtMs: nowMs,
  };
}

/** A room as the API shows it. */
export function roomView(row: RoomRow): Room {
  return {
    id: row.id,
    zone: zoneOf(row.id) ?? "",
    name: row.name,
    tier: row.tier,
    state: row.state,
    epoch: row.epoch,
    reserve: row.reserve,
    codec: row.codec,
    createdAt: new Date(row.createdAtMs).toISOString(),
    broadcasts: { live: row.broadcastsLive, max: row.broadcastsMax },
    sessions: { present: row.sessionsPresent, max: row.sessionsMax },
  };
}
