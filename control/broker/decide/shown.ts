import { sourcesOf, type TrackSource } from "#schema/media.ts";
import { hideBroadcast } from "../claims.ts";
import { type Decision, type Refusal, roomsBeside } from "../decision.ts";
import type { Draft } from "../draft.ts";
import type { BroadcastState, RoomState, ZoneState } from "../state.ts";
import { broadcastView } from "./sessions.ts";

interface Showing {
  /** The broadcast's home, in which its session is. */
  roomId: string;
  sessionId: string;
  broadcastId: string;
  /** The room in which it is to be shown, or shown no longer. */
  otherRoomId: string;
  /** The account that the other room's token is of. */
  accountId?: string;
  /** What that token lets its bearer send; absent: everything. */
  canPublishSources?: TrackSource[];
}

function bothRooms({ roomId, otherRoomId }: Showing, state: ZoneState): Set<string> {
  return new Set([...roomsBeside(roomId, state), ...roomsBeside(otherRoomId, state)]);
}

/** Shows a broadcast in a second room: one producer place, counted in both rooms. */
export const showBroadcast: Decision<Showing, { broadcastId: string; rooms: string[] }> =
  {
    rooms: bothRooms,
    decide(draft, input) {
      const found = find(draft, input);
      if ("refusal" in found) return found;
      const { broadcast, other } = found;
      if (broadcast.rooms.has(other.row.id)) return shownIn(broadcast);
      const refusal = mayShow(found, input);
      if (refusal) return refusal;
      const counted = broadcast.row.mediaClass === "camera";
      const { id: broadcastId } = broadcast.row;
      broadcast.rooms.add(other.row.id);
      other.broadcasts.add(broadcastId);
      if (counted) other.row.broadcastsLive += 1;
      draft.changes.broadcastRooms.put({ broadcastId, roomId: other.row.id, counted });
      draft.touchRoom(other);
      if (broadcast.tracks.size > 0) {
        draft.emit(other, {
          type: "broadcast.started",
          broadcast: broadcastView(broadcast),
        });
      }
      return shownIn(broadcast);
    },
  };

/** Shows a broadcast no longer in a second room; its home has it until it ends. */
export const unshowBroadcast: Decision<
  Showing,
  { broadcastId: string; rooms: string[] }
> = {
  rooms: bothRooms,
  decide(draft, input) {
    const found = find(draft, input);
    if ("refusal" in found) return found;
    const { broadcast, other } = found;
    if (other.row.id === broadcast.row.homeRoomId) {
      const detail = "This is the broadcast's home: end the broadcast instead.";
      return { refusal: "validation-failed", detail };
    }
    if (broadcast.rooms.has(other.row.id)) hideBroadcast(draft, broadcast, other, true);
    return shownIn(broadcast);
  },
};

interface Found {
  broadcast: BroadcastState;
  home: RoomState;
  other: RoomState;
}

function find(draft: Draft, input: Showing): Found | Refusal {
  const { rooms, broadcasts } = draft.state;
  const broadcast = broadcasts.get(input.broadcastId);
  const home = rooms.get(input.roomId);
  const other = rooms.get(input.otherRoomId);
  if (!home || !other || broadcast?.row.sessionId !== input.sessionId) {
    return { refusal: "not-found" };
  }
  return { broadcast, home, other };
}

function mayShow(
  { broadcast, home, other }: Found,
  { accountId = other.row.accountId, canPublishSources: allowed }: Showing,
): Refusal | undefined {
  // A room of another account is as good as none.
  if (home.row.accountId !== other.row.accountId) return { refusal: "not-found" };
  if (accountId !== other.row.accountId) return { refusal: "not-found" };
  const sources = Object.values(sourcesOf[broadcast.row.mediaClass]);
  if (allowed && !sources.every((source) => allowed.includes(source))) {
    const detail = `The other room's token does not let it publish ${sources.join(" and ")}.`;
    return { refusal: "forbidden", detail };
  }
  if (other.row.state !== "open") return { refusal: "room-closed" };
  if (broadcast.row.mediaClass === "screen" && other.row.broadcastsMax > 0)
    return undefined;
  if (other.row.broadcastsLive < other.row.broadcastsMax) return undefined;
  return {
    refusal: "tier-broadcasts-exceeded",
    detail: `Tier ${other.row.tier} has room for ${other.row.broadcastsMax} broadcasts.`,
    retryAfter: 10,
  };
}

function shownIn({ row, rooms }: BroadcastState) {
  return { broadcastId: row.id, rooms: [...rooms] };
}
