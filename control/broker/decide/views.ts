import type { WorkerRef } from "#schema/agent/instructions.ts";
import { nodeIdOfWorker } from "#schema/ids.ts";
import type { ProblemCode } from "#schema/problems.ts";
import type { MediaClass } from "#schema/settings.ts";
import { namePassedOver } from "../../placement/explain.ts";
import { capViews } from "../account-caps.ts";
import { endClaimTime, releaseView } from "../claims.ts";
import { sessionDecision } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { noteRefused } from "../make-room.ts";
import { isOn } from "../node-state.ts";
import { claimPlaced, placeSeats } from "../seats.ts";
import type { RoomState, SessionRow, ViewRow } from "../state.ts";
import { dropWaiting } from "../waiting.ts";

/** A claimed view, and all that the calls need to bring its media. */
export interface ClaimedView {
  viewId: string;
  broadcastId: string;
  producer: WorkerRef;
  consumer: WorkerRef;
  transportId: string;
  generation: number;
  /** Whether the pipe's legs have been made: then one call is enough. */
  pipeOpen: boolean;
  /** Whether its media was there already: it comes anew, or is asked for again. */
  active: boolean;
}

export interface ClaimedViews {
  views: ClaimedView[];
  refused: { broadcastId: string; code: ProblemCode; detail?: string }[];
  /** The instruction sequences after which calls may run, by node. */
  afterSeq: Record<string, number>;
}

/**
 * Claims seats for a session's wanted broadcasts, all placed together. A
 * broadcast that the session watches already keeps its seat and is answered
 * as it is, so that asking again is harmless.
 */
export const claimViews = sessionDecision<
  { roomId: string; sessionId: string; broadcasts: "all" | string[] },
  ClaimedViews
>((draft, input, room, session) => {
  if (room.row.state !== "open") return { refusal: "room-closed" };
  if (!session.canSubscribe) {
    return { refusal: "forbidden", detail: "The session's token does not let it watch." };
  }
  const { wanted, refused } = wantedBroadcasts(draft, input.broadcasts, room, session);
  const held = room.viewsBySession.get(session.id) ?? new Map<string, ViewRow>();
  const kept = wanted.flatMap((id) => held.get(id) ?? []);
  const missing = wanted.filter((id) => !held.has(id));
  const capped = capViews(draft, room, session.id, missing);
  for (const { broadcastId, refusal } of capped.refused) {
    refused.push({ broadcastId, code: refusal.refusal, detail: refusal.detail });
  }
  const placement = placeSeats(draft, room, session, capped.allowed);
  const claimed = placement.placed.map((placed) =>
    claimPlaced(draft, room, session, placed),
  );
  for (const { broadcastId } of claimed) stopWaiting(draft, session.id, broadcastId);
  for (const { broadcastId, code, passedOver } of placement.refused) {
    const media = pointless[code];
    if (media) noteRefused(draft, session, broadcastId, media);
    refused.push({ broadcastId, code, detail: namePassedOver(passedOver) });
  }
  return { ...describeViews(draft, [...kept, ...claimed]), refused };
});

/** Finds a session's own views for a call, their pipes to be opened anew. */
export const locateViews = sessionDecision<
  { roomId: string; sessionId: string; viewIds: string[] },
  ClaimedViews
>((draft, { viewIds }, room, session) => {
  const views = viewIds.flatMap((id) => room.views.get(id) ?? []);
  if (views.length < viewIds.length || views.some((v) => v.sessionId !== session.id)) {
    return { refusal: "not-found" };
  }
  return { ...describeViews(draft, views), refused: [] };
});

/**
 * Gives views' seats back; those that are gone already are passed over. Ending
 * the old view of a move ends the move; ending the new one ends both.
 */
export const releaseViews = sessionDecision<
  { roomId: string; sessionId: string; viewIds: string[] },
  { released: number }
>((draft, { viewIds }, room, session) => {
  const views = [...new Set(viewIds)]
    .flatMap((id) => room.views.get(id) ?? [])
    .filter((view) => view.sessionId === session.id);
  for (const view of views) {
    // Who stops watching gives up both seats of a move; who has arrived, the old one.
    const move = room.moves.get(view.id);
    releaseView(draft, room, view, true);
    const old = move?.toViewId === view.id ? room.views.get(move.viewId) : undefined;
    if (old) releaseView(draft, room, old, true);
  }
  for (const row of [...draft.state.waiting]) {
    if (row.sessionId === session.id && viewIds.includes(row.viewId)) {
      dropWaiting(draft, row);
    }
  }
  return { released: views.length };
});

/** The agent has seen these views' media connected: they are no longer only claims. */
export const activateViews = sessionDecision<
  { roomId: string; sessionId: string; viewIds: string[]; nodeId?: string },
  Record<string, never>
>((draft, { viewIds, nodeId }, room, session) => {
  for (const viewId of viewIds) {
    const view = room.views.get(viewId);
    if (!view || view.sessionId !== session.id || view.state === "active") continue;
    if (!isOn(nodeId, view)) continue;
    view.state = "active";
    view.tries = 0;
    draft.changes.views.put(view);
    const { broadcastId } = view;
    draft.emitForSession(room, session.id, { type: "view.ready", viewId, broadcastId });
    // Media flows, so the legs are there, whether their opening was told yet or not.
    markOpen(draft, view.broadcastId, view.workerId);
    endClaimTime(draft, room, view);
  }
  return {};
});

export function markOpen(
  draft: Draft,
  broadcastId: string,
  workerId: string,
  generation?: number,
): void {
  const pipe = draft.state.picture.pipe(broadcastId, workerId);
  if (pipe?.state !== "opening") return;
  if (generation !== undefined && pipe.generation !== generation) return;
  draft.putPipe({ ...pipe, state: "open" });
}

/** What is refused for want of points, which a few moves may free. */
const pointless: Partial<Record<ProblemCode, MediaClass>> = {
  "no-consumer-capacity": "camera",
  "no-screen-capacity": "screen",
};

function stopWaiting(draft: Draft, sessionId: string, broadcastId: string): void {
  const row = draft.state.waiting.get(sessionId, broadcastId);
  if (row) dropWaiting(draft, row);
}

function wantedBroadcasts(
  draft: Draft,
  broadcasts: "all" | string[],
  room: RoomState,
  session: SessionRow,
) {
  const refused: ClaimedViews["refused"] = [];
  const asked = broadcasts === "all" ? [...room.broadcasts] : [...new Set(broadcasts)];
  const wanted = asked.filter((broadcastId) => {
    const broadcast = draft.state.broadcasts.get(broadcastId);
    const live = room.broadcasts.has(broadcastId) && (broadcast?.tracks.size ?? 0) > 0;
    const own = broadcast?.row.sessionId === session.id;
    if (live && !own) return true;
    if (broadcasts !== "all") {
      const detail = own
        ? "A session does not watch itself."
        : "It is not live in this room.";
      refused.push({ broadcastId, code: own ? "forbidden" : "not-found", detail });
    }
    return false;
  });
  return { wanted, refused };
}

/** Claimed views with all that calls need to bring their media. */
export function describeViews(
  draft: Draft,
  views: ViewRow[],
): Omit<ClaimedViews, "refused"> {
  const afterSeq: Record<string, number> = {};
  const described = views.map((view) => {
    const pipe = draft.state.picture.pipe(view.broadcastId, view.workerId);
    if (!pipe) throw new Error(`View ${view.id} has no pipe.`);
    for (const workerId of [pipe.producerWorkerId, pipe.consumerWorkerId]) {
      const nodeId = nodeIdOfWorker(workerId);
      afterSeq[nodeId] = draft.afterSeq(nodeId);
    }
    return {
      viewId: view.id,
      broadcastId: view.broadcastId,
      producer: draft.workerRef(pipe.producerWorkerId),
      consumer: draft.workerRef(view.workerId),
      transportId: view.transportId,
      generation: pipe.generation,
      pipeOpen: pipe.state === "open",
      active: view.state === "active",
    };
  });
  return { views: described, afterSeq };
}
