import { endSessionsOf } from "../claims.ts";
import { sessionDecision } from "../decision.ts";

type Moderation = { roomId: string; sessionId: string; identity: string };

/** Sends every session of an identity out; with its token it may come back. */
export const kick = sessionDecision<Moderation, { sessions: string[] }>(
  (draft, { identity }, room, moderator) => {
    if (!moderator.roomAdmin) return { refusal: "forbidden" };
    return { sessions: endSessionsOf(draft, room, identity) };
  },
);

/** Sends an identity out and voids its tokens for this room. */
export const ban = sessionDecision<Moderation, { sessions: string[] }>(
  (draft, input, room, moderator) => {
    if (!moderator.roomAdmin) return { refusal: "forbidden" };
    const { identity } = input;
    if (identity === moderator.identity) {
      return { refusal: "forbidden", detail: "Nobody bans themselves." };
    }
    room.bans.add(identity);
    const by = moderator.identity;
    draft.changes.bans.put({ roomId: room.row.id, identity, atMs: draft.nowMs, by });
    return { sessions: endSessionsOf(draft, room, identity) };
  },
);

/** Lets an identity in again. */
export const unban = sessionDecision<Moderation, { sessions: string[] }>(
  (draft, { identity }, room, moderator) => {
    if (!moderator.roomAdmin) return { refusal: "forbidden" };
    if (room.bans.delete(identity)) draft.changes.bans.remove(room.row.id, identity);
    return { sessions: [] };
  },
);
