import type { MediaClass } from "#schema/settings.ts";
import { type FreedPoint, planFreedPoint } from "../placement/defragment.ts";
import type { Draft } from "./draft.ts";
import { mayMove, moveView } from "./drain.ts";
import type { SessionRow, ZoneState } from "./state.ts";
import { putWaiting, rankOf } from "./waiting.ts";

/*
 * Before a view is refused for good, a few others may move together, into seats
 * that are paid for already: that frees a point. It takes some seconds, so the
 * refused one waits for it.
 */

/** A view that was refused for want of points: some may be made free for it. */
export function noteRefused(
  draft: Draft,
  session: SessionRow,
  broadcastId: string,
  media: MediaClass,
): void {
  const { state, nowMs, settings } = draft;
  const { defragmentEveryMs } = settings.moves;
  const last = state.wishes.get(media);
  // Looking over all slots is worth it only now and then.
  if (last && nowMs - last.atMs < defragmentEveryMs) return;
  if (!session.attached) return;
  const { id: sessionId, roomId } = session;
  state.wishes.set(media, { roomId, sessionId, broadcastId, atMs: nowMs });
  draft.setDeadline("defragment", media, "", 0);
}

/** The rooms that making room for the last refused view would touch. */
export function roomsToMakeRoom(state: ZoneState, media: MediaClass): string[] {
  const wish = state.wishes.get(media);
  const plan = planFreedPoint(state.picture, media);
  if (!wish || !plan) return [];
  return [wish.roomId, ...plan.moves.map((move) => move.roomId)];
}

/** Frees a point, if a few moves do it, and lets the refused view wait for it. */
export function makeRoom(draft: Draft, media: MediaClass): void {
  const { state } = draft;
  const wish = state.wishes.get(media);
  const plan = planFreedPoint(state.picture, media);
  const room = wish && state.rooms.get(wish.roomId);
  const session = room?.sessions.get(wish?.sessionId ?? "");
  if (!wish || !plan || !room || !session || !canBegin(draft, plan)) return;
  for (const move of plan.moves) begin(draft, move);
  const { sessionId, broadcastId, roomId } = wish;
  if (!room.broadcasts.has(broadcastId)) return;
  if (room.viewsBySession.get(sessionId)?.has(broadcastId)) return;
  putWaiting(draft, {
    sessionId,
    broadcastId,
    roomId,
    viewId: "",
    reason: "nothing had room for it",
    oldRunsMs: 0,
    told: true,
    avoidNodeId: null,
    tries: 0,
    rank: rankOf(room),
    presentSinceMs: session.enteredAtMs,
  });
}

type Planned = FreedPoint["moves"][number];

function movable(draft: Draft, { roomId, broadcastId, fromWorkerId }: Planned) {
  const room = draft.state.rooms.get(roomId);
  const views = room ? draft.state.viewsOf(roomId, broadcastId) : [];
  return views.flatMap((view) =>
    room && view.workerId === fromWorkerId && mayMove(room, view) ? [{ room, view }] : [],
  );
}

/** Half a plan frees nothing. */
function canBegin(draft: Draft, { moves }: FreedPoint): boolean {
  const wanted = Map.groupBy(moves, ({ roomId, broadcastId, fromWorkerId }) =>
    [roomId, broadcastId, fromWorkerId].join(" "),
  );
  return [...wanted.values()].every((group) => {
    const views = group.reduce((sum, move) => sum + move.views, 0);
    const [first] = group;
    return first !== undefined && movable(draft, first).length >= views;
  });
}

function begin(draft: Draft, move: Planned): void {
  const { broadcastId, toWorkerId: workerId } = move;
  for (const { room, view } of movable(draft, move).slice(0, move.views)) {
    const piped = draft.state.picture.pipe(broadcastId, workerId) !== undefined;
    const grounds = { rule: "free-seat-to-free-a-point", considered: 1, passedOver: {} };
    const placed = { ...grounds, broadcastId, workerId, points: 0, opensPipe: !piped };
    moveView(draft, room, view, placed, "to make room for others");
  }
}
