import { newTransportId, nodeIdOfWorker } from "#schema/ids.ts";
import type { PlacedView, ViewPlacement } from "../placement/decision.ts";
import { placeViews } from "../placement/place.ts";
import { claimSeat } from "./claims.ts";
import type { Draft } from "./draft.ts";
import type { RoomState, SessionRow, ViewRow } from "./state.ts";

/**
 * Finds seats for broadcasts that a session is to watch, all together.
 * @param avoid workers that are no choice, though they may be open
 */
export function placeSeats(
  draft: Draft,
  room: RoomState,
  session: SessionRow,
  broadcastIds: readonly string[],
  avoid?: ReadonlySet<string>,
): ViewPlacement {
  const held = room.viewsBySession.get(session.id)?.values() ?? [];
  return placeViews(
    {
      roomId: room.row.id,
      sessionId: session.id,
      sessionWorkers: new Set([...held].map((view) => view.workerId)),
      broadcastIds,
      roomSize: draft.settings.tiers[room.row.tier],
      avoid,
    },
    draft.state.picture,
  );
}

/**
 * Claims a seat that placement found: it is the session's newest view of the
 * broadcast, and has to connect in time.
 * @param tries seats before this one that never connected
 */
export function claimPlaced(
  draft: Draft,
  room: RoomState,
  session: SessionRow,
  placed: PlacedView,
  tries = 0,
): ViewRow {
  const { broadcastId, workerId, ...grounds } = placed;
  const held = [...(room.viewsBySession.get(session.id)?.values() ?? [])];
  const beside = held.find((view) => view.workerId === workerId);
  const view: ViewRow = {
    id: draft.newId("view"),
    roomId: room.row.id,
    sessionId: session.id,
    broadcastId,
    workerId,
    state: "claimed",
    transportId: beside?.transportId ?? newTransportId(nodeIdOfWorker(workerId)),
    newest: true,
    tries,
    grounds,
    claimedAtMs: draft.nowMs,
  };
  claimSeat(draft, room, view);
  const { viewClaimMs } = draft.settings.timing;
  draft.setDeadline("view-claim", view.transportId, room.row.id, viewClaimMs);
  return view;
}
