import { endLeaving, interrupt } from "./broadcast-moves.ts";
import { bulkOf, roomsBeside } from "./decision.ts";
import type { Draft } from "./draft.ts";
import { closePipe } from "./pipes.ts";
import { type Loss, loseSeat, serveWaiting } from "./rehouse.ts";
import { reserveTier } from "./reservations.ts";
import type { BroadcastState, ZoneState } from "./state.ts";

/*
 * A worker's life ends with all that it carried, whatever ended it. Viewers get
 * other seats by `serveWaiting`; rooms that had points reserved there get them
 * elsewhere before that, if there is room.
 */

/** Whom the end of workers left without what they had there. */
export interface Cleared {
  /** Rooms that lost reserved points or a producer worker of their own. */
  robbed: Set<string>;
  /** Broadcasts that were produced there. */
  homeless: Set<BroadcastState>;
  reason: string;
}

/** Ends what a node's workers carried. */
export function clearNode(draft: Draft, nodeId: string, loss: Loss): Cleared {
  const all: Cleared = { robbed: new Set(), homeless: new Set(), reason: loss.reason };
  for (const id of [...draft.state.picture.workersOnNode(nodeId)]) {
    const { robbed, homeless } = clearWorker(draft, id, loss);
    for (const roomId of robbed) all.robbed.add(roomId);
    for (const broadcast of homeless) all.homeless.add(broadcast);
  }
  return all;
}

/** Ends what one worker carried. */
export function clearWorker(draft: Draft, workerId: string, loss: Loss): Cleared {
  const { state } = draft;
  const homeless = new Set<BroadcastState>();
  for (const broadcast of [...state.broadcasts.values()]) {
    if (broadcast.row.otherWorkerId === workerId) endLeaving(draft, broadcast);
    if (broadcast.row.workerId === workerId) homeless.add(broadcast);
  }
  for (const slot of [...state.picture.slotsOn(workerId)]) {
    const room = state.loadedRoom(slot.roomId);
    for (const view of state.viewsOf(slot.roomId, slot.broadcastId)) {
      if (view.workerId === workerId) loseSeat(draft, room, view, loss);
    }
  }
  // The legs' far ends are gone: nothing is left to linger for.
  for (const pipe of [...state.picture.pipes()]) {
    if (pipe.consumerWorkerId === workerId) closePipe(draft, pipe);
  }
  const kept = [...state.picture.reservations()].filter(
    (reservation) => reservation.workerId === workerId,
  );
  for (const { roomId } of kept) {
    const room = state.loadedRoom(roomId);
    draft.setReservation(room, workerId, 0);
  }
  const robbed = new Set(kept.map(({ roomId }) => roomId));
  const owner = state.picture.workers.get(workerId)?.dedicatedTo;
  if (owner) {
    state.picture.dedicate(workerId, undefined);
    draft.touchWorker(workerId);
    robbed.add(owner);
  }
  return { robbed, homeless, reason: loss.reason };
}

/**
 * Gives those whom workers' ends left without what they had other places: first
 * the broadcasts, then reservations, then views, as many as bulk work may take.
 */
export function resettle(draft: Draft, { robbed, homeless, reason }: Cleared): void {
  for (const broadcast of homeless) interrupt(draft, broadcast, reason);
  restoreReservations(draft, robbed);
  serveWaiting(draft, bulkOf(draft));
}

/** Reserves again, elsewhere, what rooms lost; where it cannot, they keep the rest. */
function restoreReservations(draft: Draft, roomIds: Iterable<string>): void {
  for (const roomId of roomIds) {
    const room = draft.state.rooms.get(roomId);
    if (!room?.row.reserve || room.row.state !== "open") continue;
    const refusal = reserveTier(draft, room, room.row.tier, true);
    if (refusal) {
      const lacks = refusal.detail ?? "capacity";
      draft.emit(room, { type: "reservation.reduced", reason: lacks });
    }
  }
}

/** The rooms that have anything on a node. */
export function roomsOnNode(nodeId: string, state: ZoneState): Set<string> {
  const rooms = new Set<string>();
  for (const workerId of state.picture.workersOnNode(nodeId)) {
    for (const roomId of roomsOnWorker(workerId, state)) rooms.add(roomId);
  }
  return rooms;
}

/** The rooms that have anything on a worker, reservations included. */
export function roomsOnWorker(workerId: string, state: ZoneState): Set<string> {
  const { picture } = state;
  const rooms = new Set<string>();
  for (const slot of picture.slotsOn(workerId)) rooms.add(slot.roomId);
  for (const kept of picture.reservations()) {
    if (kept.workerId === workerId) rooms.add(kept.roomId);
  }
  const owner = picture.workers.get(workerId)?.dedicatedTo;
  if (owner) rooms.add(owner);
  for (const broadcast of picture.broadcasts.values()) {
    const { producerWorkerId, otherWorkerId } = broadcast;
    if (producerWorkerId !== workerId && otherWorkerId !== workerId) continue;
    for (const roomId of roomsBeside(broadcast.homeRoomId, state)) rooms.add(roomId);
  }
  return rooms;
}
