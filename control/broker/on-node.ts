import { nodeIdOfWorker } from "#schema/ids.ts";
import type { Draft } from "./draft.ts";
import type { BroadcastState, RoomState, ViewRow } from "./state.ts";

/* What a node carries, in rooms that are loaded. */

/** The views that have a seat on a node, with their rooms. */
export function viewsOn(draft: Draft, nodeId: string): [RoomState, ViewRow][] {
  const { picture, rooms } = draft.state;
  const roomIds = new Set<string>();
  for (const workerId of picture.workersOnNode(nodeId)) {
    for (const slot of picture.slotsOn(workerId)) roomIds.add(slot.roomId);
  }
  return [...roomIds].flatMap((roomId) => {
    const room = rooms.get(roomId);
    const views = [...(room?.views.values() ?? [])];
    return views.flatMap((view): [RoomState, ViewRow][] =>
      room && nodeIdOfWorker(view.workerId) === nodeId ? [[room, view]] : [],
    );
  });
}

/** The broadcasts that have a place on a node, be it the one that they leave. */
export function broadcastsOn(draft: Draft, nodeId: string): BroadcastState[] {
  return [...draft.state.broadcasts.values()].filter(({ row }) =>
    [row.workerId, row.otherWorkerId ?? ""].some((id) => nodeIdOfWorker(id) === nodeId),
  );
}
