import { nodeIdOfWorker } from "#schema/ids.ts";
import type { PlacedView } from "../placement/decision.ts";
import { beginBroadcastMove, endLeaving, interrupt } from "./broadcast-moves.ts";
import type { Draft } from "./draft.ts";
import { beginMove } from "./moves.ts";
import { broadcastsOn, viewsOn } from "./on-node.ts";
import { isCarried } from "./places.ts";
import { loseSeat } from "./rehouse.ts";
import { claimPlaced, placeSeats } from "./seats.ts";
import type { BroadcastState, NodeRow, RoomState, ViewRow } from "./state.ts";

/*
 * A node that drains gives away what it has, some at a time: everything has its
 * next place before it leaves this one. What is left at the deadline goes without.
 */

const reason = "its host is being drained";

/** Begins to empty a node, or goes on with another deadline. */
export function beginDrain(draft: Draft, row: NodeRow, withinMs: number): void {
  row.drainUntilMs = draft.nowMs + withinMs;
  draft.setDeadline("drain", row.id, "", 0);
  draft.touchNode(row.id);
}

/** Leaves on a node what is still there. */
export function endDrain(draft: Draft, row: NodeRow): void {
  row.drainUntilMs = null;
  draft.clearDeadline("drain", row.id);
  draft.touchNode(row.id);
}

/**
 * Moves more of a draining node; the rooms that have anything there have to be
 * loaded. It comes again until nothing is left.
 * @param most seats that may be claimed or lost in this commit
 */
export function drainMore(draft: Draft, nodeId: string, most: number): void {
  const { state, nowMs, settings } = draft;
  const row = state.nodes.get(nodeId);
  if (!row || row.drainUntilMs === null || row.state === "gone") return;
  const views = viewsOn(draft, nodeId);
  const broadcasts = broadcastsOn(draft, nodeId);
  if (views.length === 0 && broadcasts.length === 0) return;
  const { drainStepMs, drainViewsMax, drainRetryMs } = settings.moves;
  if (nowMs >= row.drainUntilMs) {
    for (const [room, view] of views.slice(0, most)) {
      loseSeat(draft, room, view, { reason, tellAgent: true });
    }
    for (const broadcast of broadcasts) evict(draft, broadcast, nodeId);
    // What is left by now has nowhere to go: looking for a place is not urgent.
    const againMs = views.length > most ? drainStepMs : drainRetryMs;
    draft.setDeadline("drain", nodeId, "", againMs);
    return;
  }
  draft.setDeadline("drain", nodeId, "", drainStepMs);
  for (const broadcast of broadcasts) beginBroadcastMove(draft, broadcast, reason);
  const moving = views.filter(([, view]) => !view.newest).length;
  const ready = views.filter(([room, view]) => mayMove(room, view));
  moveViews(draft, ready.slice(0, Math.max(0, Math.min(most, drainViewsMax - moving))));
}

/** The time is over: a broadcast goes, if there is any other place for it. */
function evict(draft: Draft, broadcast: BroadcastState, nodeId: string): void {
  const { row } = broadcast;
  if (nodeIdOfWorker(row.workerId) !== nodeId) endLeaving(draft, broadcast);
  else if (row.state === "moving" || beginBroadcastMove(draft, broadcast, reason)) {
    interrupt(draft, broadcast, reason);
  } else if (isCarried(draft, broadcast)) interrupt(draft, broadcast, reason);
}

/**
 * Whether a view can be moved with both seats held: its media is there, it rests,
 * and its session has a channel on which to be told.
 */
export function mayMove(room: RoomState, view: ViewRow): boolean {
  if (!view.newest || view.state !== "active" || room.moves.has(view.id)) return false;
  return room.sessions.get(view.sessionId)?.carrier === "channel";
}

/** Moves a view to a seat that placement found; the old one runs on meanwhile. */
export function moveView(
  draft: Draft,
  room: RoomState,
  view: ViewRow,
  placed: PlacedView,
  why: string,
): void {
  const session = room.sessions.get(view.sessionId);
  if (!session) return;
  // Written first: a session has one newest view of a broadcast.
  view.newest = false;
  draft.changes.views.put(view);
  beginMove(draft, room, view, claimPlaced(draft, room, session, placed), why);
}

function moveViews(draft: Draft, views: [RoomState, ViewRow][]): void {
  const { picture } = draft.state;
  for (const [sessionId, own] of Map.groupBy(views, ([, view]) => view.sessionId)) {
    const room = own[0]?.[0];
    const session = room?.sessions.get(sessionId);
    if (!room || !session) continue;
    const avoid = new Set(
      own.flatMap(([, view]) => [
        ...picture.workersOnNode(room.shunned.get(view.id) ?? ""),
      ]),
    );
    const wanted = own.map(([, view]) => view.broadcastId);
    const { placed } = placeSeats(draft, room, session, wanted, avoid);
    for (const one of placed) {
      const [, view] =
        own.find(([, { broadcastId }]) => broadcastId === one.broadcastId) ?? [];
      if (view) moveView(draft, room, view, one, reason);
    }
    // Where only those are left that failed, they are tried again.
    for (const [, view] of own) if (view.newest) room.shunned.delete(view.id);
  }
}
