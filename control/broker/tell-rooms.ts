import type { RoomEvent } from "#schema/events.ts";
import type { Draft } from "./draft.ts";
import type { BroadcastState } from "./state.ts";

/** Tells every room in which a broadcast is shown; they have to be loaded. */
export function emitEverywhere(
  draft: Draft,
  broadcast: BroadcastState,
  event: RoomEvent,
): void {
  for (const roomId of broadcast.rooms) {
    const room = draft.state.loadedRoom(roomId);
    draft.emit(room, event);
  }
}
