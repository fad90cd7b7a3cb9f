import { closePipe, endBroadcast } from "./claims.ts";
import { roomsBeside } from "./decision.ts";
import type { Draft } from "./draft.ts";
import { type Loss, loseSeat } from "./rehouse.ts";
import { reserveTier } from "./reservations.ts";
import type { ZoneState } from "./state.ts";

/*
 * A worker's life ends with all that it carried, whatever ended it. Viewers get
 * other seats by `serveWaiting`; rooms that had points reserved there get them
 * elsewhere before that, if there is room.
 */

/** Ends what a node's workers carried; answers the rooms that lost reserved points. */
export function clearNode(draft: Draft, nodeId: string, loss: Loss): string[] {
  const workers = [...draft.state.picture.workersOnNode(nodeId)];
  return [...new Set(workers.flatMap((id) => clearWorker(draft, id, loss)))];
}

/** Ends what one worker carried; answers the rooms that lost reserved points. */
export function clearWorker(draft: Draft, workerId: string, loss: Loss): string[] {
  const { state } = draft;
  for (const broadcast of [...state.broadcasts.values()]) {
    if (broadcast.row.workerId === workerId) endBroadcast(draft, broadcast);
  }
  for (const slot of [...state.picture.slotsOn(workerId)]) {
    const room = state.rooms.get(slot.roomId);
    if (!room) throw new Error(`Room ${slot.roomId} is not loaded.`);
    for (const view of state.viewsOf(slot.roomId, slot.broadcastId)) {
      if (view.workerId === workerId) loseSeat(draft, room, view, loss);
    }
  }
  // The legs' far ends are gone: nothing is left to linger for.
  for (const pipe of [...state.picture.pipes()]) {
    if (pipe.consumerWorkerId === workerId) closePipe(draft, pipe);
  }
  const robbed = [...state.picture.reservations()].filter(
    (kept) => kept.workerId === workerId,
  );
  for (const { roomId } of robbed) draft.setReservation(roomId, workerId, 0);
  const owner = state.picture.workers.get(workerId)?.dedicatedTo;
  if (owner) {
    state.picture.dedicate(workerId, undefined);
    draft.touchWorker(workerId);
  }
  return [...robbed.map(({ roomId }) => roomId), ...(owner ? [owner] : [])];
}

/** Reserves again, elsewhere, what rooms lost; where it cannot, they keep the rest. */
export function restoreReservations(draft: Draft, roomIds: string[]): void {
  for (const roomId of roomIds) {
    const room = draft.state.rooms.get(roomId);
    if (!room?.row.reserve || room.row.state !== "open") continue;
    const refusal = reserveTier(draft, room, room.row.tier);
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
    if (broadcast.producerWorkerId !== workerId) continue;
    for (const roomId of roomsBeside(broadcast.homeRoomId, state)) rooms.add(roomId);
  }
  return rooms;
}
