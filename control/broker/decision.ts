import type { CapName } from "#schema/caps.ts";
import type { DatabaseName } from "#schema/databases.ts";
import type { ProblemCode } from "#schema/problems.ts";
import type { Draft } from "./draft.ts";
import type { RoomState, SessionRow, ZoneState } from "./state.ts";

/** A refusal is a value: nothing was changed, and the code says why. */
export interface Refusal {
  refusal: ProblemCode;
  detail?: string;
  /** The database that does not answer. */
  part?: DatabaseName;
  /** The account's cap that is in the way, and what of it is used. */
  cap?: { name: CapName; max: number; used: number };
  /** Seconds after which trying again makes sense. */
  retryAfter?: number;
}

/** One thing that the broker can be asked, decided in memory in one go. */
export interface Decision<Input, Output> {
  /** The rooms that have to be loaded before. */
  rooms(input: Input, state: ZoneState): Iterable<string>;
  decide(draft: Draft, input: Input): Output | Refusal;
}

/** How much of one commit bulk work may take: half a group. */
export function bulkOf(draft: Draft): number {
  return Math.floor(draft.settings.broker.groupMax / 2);
}

export function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === "object" && answer !== null && "refusal" in answer;
}

/** Makes a decision about one room, whose id its input carries. */
export function roomDecision<Input extends { roomId: string }, Output>(
  decide: (draft: Draft, input: Input, room: RoomState) => Output | Refusal,
): Decision<Input, Output> {
  return {
    rooms: (input, state) => roomsBeside(input.roomId, state),
    decide(draft, input) {
      const room = draft.state.rooms.get(input.roomId);
      return room ? decide(draft, input, room) : { refusal: "not-found" };
    },
  };
}

/**
 * A room, and those in which its broadcasts are shown too: ending one touches
 * them all. Before the room itself is loaded, only it can be named.
 */
export function roomsBeside(roomId: string, state: ZoneState): Set<string> {
  const rooms = new Set([roomId]);
  for (const broadcastId of state.rooms.get(roomId)?.broadcasts ?? []) {
    for (const id of state.broadcasts.get(broadcastId)?.rooms ?? []) rooms.add(id);
  }
  return rooms;
}

/** Makes a decision on behalf of a session; one that ended is refused. */
export function sessionDecision<
  Input extends { roomId: string; sessionId: string },
  Output,
>(
  decide: (
    draft: Draft,
    input: Input,
    room: RoomState,
    session: SessionRow,
  ) => Output | Refusal,
): Decision<Input, Output> {
  return roomDecision((draft, input, room) => {
    const session = room.sessions.get(input.sessionId);
    if (!session) {
      return { refusal: "not-found", detail: "The session has ended: enter again." };
    }
    return decide(draft, input, room, session);
  });
}
