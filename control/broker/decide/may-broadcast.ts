import { sourcesOf, type TrackSource } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";
import type { BroadcastPlacement } from "../../placement/decision.ts";
import { namePassedOver } from "../../placement/explain.ts";
import { type Refusal, sessionDecision } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { choosePlace } from "../places.ts";
import { freeScreenPlaces, holdsScreen } from "../reservations.ts";
import type { RoomState, SessionRow } from "../state.ts";

type Placed = Extract<BroadcastPlacement, { workerId: string }>;

/**
 * Whether a session could broadcast now, claiming nothing: so that nobody is asked
 * for a camera or a screen in vain.
 */
export const mayBroadcast = sessionDecision<
  { roomId: string; sessionId: string; media: MediaClass },
  Record<string, never>
>((draft, { media }, room, session) => {
  const placement = placeFor(draft, media, room, session);
  return "refusal" in placement ? placement : {};
});

/** The producer worker for one more broadcast of a session, or why there is none. */
export function placeFor(
  draft: Draft,
  media: MediaClass,
  room: RoomState,
  session: SessionRow,
): Placed | Refusal {
  const refused = refusalOf(draft, media, room, session);
  if (refused) return refused;
  const placement = choosePlace(draft, room.row, media);
  if ("workerId" in placement) return placement;
  const detail = namePassedOver(placement.passedOver) ?? "There are none.";
  return { refusal: placement.code, detail, retryAfter: 5 };
}

function refusalOf(
  draft: Draft,
  media: MediaClass,
  room: RoomState,
  session: SessionRow,
): Refusal | undefined {
  if (room.row.state !== "open") return { refusal: "room-closed" };
  if (!session.canPublish) {
    return {
      refusal: "forbidden",
      detail: "The session's token does not let it publish.",
    };
  }
  const refused = Object.values(sourcesOf[media]).map((source) =>
    sourceRefusal(session, source),
  );
  // One of its tracks is enough to broadcast.
  if (refused.every((refusal) => refusal)) return refused[0];
  if (room.row.broadcastsMax === 0) {
    return {
      refusal: "tier-broadcasts-exceeded",
      detail: `Tier ${room.row.tier} is for chat only.`,
    };
  }
  if (media === "screen") return screenRefusal(draft, room);
  const live = [...room.broadcasts].some((id) => {
    const row = draft.state.broadcasts.get(id)?.row;
    return row?.sessionId === session.id && row.mediaClass === "camera";
  });
  if (live) return { refusal: "already-broadcasting" };
  if (room.row.broadcastsLive < room.row.broadcastsMax) return undefined;
  return {
    refusal: "tier-broadcasts-exceeded",
    detail: `Tier ${room.row.tier} has room for ${room.row.broadcastsMax} broadcasts.`,
    retryAfter: 10,
  };
}

/** Refuses a source that the session's token does not name. */
export function sourceRefusal(
  { publishSources }: SessionRow,
  source: TrackSource,
): Refusal | undefined {
  if (!publishSources || publishSources.includes(source)) return undefined;
  const allowed = publishSources.join(", ") || "nothing";
  return {
    refusal: "forbidden",
    detail: `The session's token lets it publish ${allowed}, and no ${source}.`,
  };
}

function screenRefusal(draft: Draft, room: RoomState): Refusal | undefined {
  const free = holdsScreen(draft, room.row.id) || freeScreenPlaces(draft) > 0;
  if (!free) return { refusal: "no-screen-capacity", retryAfter: 10 };
  const { picture } = draft.state;
  // Whoever shows a screen should not learn afterwards that nobody can see it.
  const served = [...picture.workers.values()].some(
    (worker) =>
      worker.role === "consumer" &&
      worker.mediaClass === "screen" &&
      picture.isOpen(worker),
  );
  if (served) return undefined;
  const detail = "No worker that serves screens to viewers is open.";
  return { refusal: "no-screen-capacity", detail, retryAfter: 10 };
}
