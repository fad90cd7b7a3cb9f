import { newTransportId, nodeIdOfWorker } from "#schema/ids.ts";
import { endBroadcast } from "./claims.ts";
import type { Draft } from "./draft.ts";
import { choosePlace, isCarried, replace, setPlaces } from "./places.ts";
import { closeOldPipes, repipe, tellRenewed } from "./repipe.ts";
import type { BroadcastState } from "./state.ts";
import { emitEverywhere } from "./tell-rooms.ts";

/*
 * A broadcast outlives the transport and the worker that it is sent to. One that
 * was cut off is `interrupted` and kept for a while; one that is asked to go
 * elsewhere is `moving` and holds two places until its tracks are at the second,
 * and `leaving` until the first has run out. Its rooms have to be loaded.
 */

/**
 * A broadcast's media arrives no longer. It keeps its viewers, gets a place where
 * it can be sent to again, and its session is asked to do so in time; one without
 * a channel cannot be asked, and ends.
 */
export function interrupt(draft: Draft, broadcast: BroadcastState, reason: string): void {
  const { row } = broadcast;
  if (isCarried(draft, broadcast)) {
    endBroadcast(draft, broadcast);
    return;
  }
  if (row.state === "leaving") endLeaving(draft, broadcast);
  draft.clearDeadline("leave", row.id);
  const arrived = row.state === "moving" ? row.otherTransportId : null;
  if (arrived && row.otherWorkerId) {
    // It is on its way already: what has come of it is not lost.
    setPlaces(draft, broadcast, row.otherWorkerId, arrived);
    repipe(draft, broadcast, false);
  } else replace(draft, broadcast);
  if (row.state !== "interrupted") {
    emitEverywhere(draft, broadcast, {
      type: "broadcast.interrupted",
      broadcastId: row.id,
      reason,
    });
  }
  setState(draft, broadcast, "interrupted");
  const { resumeMs } = draft.settings.moves;
  draft.setDeadline("resume", row.id, row.homeRoomId, resumeMs);
  tellMoved(draft, broadcast, reason, 0, resumeMs);
}

/** Asks a running broadcast to go to another worker; both places are held. */
export function beginBroadcastMove(
  draft: Draft,
  broadcast: BroadcastState,
  reason: string,
): boolean {
  const { row } = broadcast;
  const home = draft.state.rooms.get(row.homeRoomId);
  if (row.state !== "live" || broadcast.tracks.size === 0 || !home) return false;
  if (isCarried(draft, broadcast)) return false;
  const pipedTo = draft.state.picture
    .pipesOf(row.id)
    .map((pipe) => nodeIdOfWorker(pipe.consumerWorkerId));
  const avoid = new Set([row.workerId]);
  const place = choosePlace(draft, home.row, row.mediaClass, { pipedTo, avoid });
  if ("code" in place) return false;
  if (place.dedicates) draft.state.picture.dedicate(place.workerId, home.row.id);
  const other = newTransportId(nodeIdOfWorker(place.workerId));
  setPlaces(draft, broadcast, row.workerId, row.transportId, place.workerId, other);
  setState(draft, broadcast, "moving");
  const { broadcastMs } = draft.settings.moves;
  draft.setDeadline("resume", row.id, row.homeRoomId, broadcastMs);
  tellMoved(draft, broadcast, reason, broadcastMs, broadcastMs);
  return true;
}

/** The transport that a broadcast's tracks have to be on to be there. */
export function wantedTransport({ row }: BroadcastState): string {
  return (row.state === "moving" && row.otherTransportId) || row.transportId;
}

/**
 * Goes on from the new place, if all tracks are there.
 * @param placed whether its session was just told of the place: then none are enough
 */
export function settleResume(
  draft: Draft,
  broadcast: BroadcastState,
  placed = false,
): void {
  const { row, tracks } = broadcast;
  if (row.state !== "interrupted" && row.state !== "moving") return;
  if (tracks.size === 0 && !placed) return;
  const wanted = wantedTransport(broadcast);
  if ([...tracks.values()].some((track) => track.transportId !== wanted)) return;
  draft.clearDeadline("resume", row.id);
  const { oldRunsMs } = draft.settings.moves;
  draft.setDeadline("leave", row.id, row.homeRoomId, oldRunsMs);
  if (row.state === "interrupted") {
    setState(draft, broadcast, "live");
    if (tracks.size === 0) return;
    emitEverywhere(draft, broadcast, { type: "broadcast.resumed", broadcastId: row.id });
    tellRenewed(draft, broadcast, 0);
  } else if (row.otherWorkerId && row.otherTransportId) {
    const { workerId, transportId, otherWorkerId, otherTransportId } = row;
    setPlaces(draft, broadcast, otherWorkerId, otherTransportId, workerId, transportId);
    setState(draft, broadcast, "leaving");
    repipe(draft, broadcast, true);
    tellRenewed(draft, broadcast, oldRunsMs);
  }
}

/** The time to resume or move is over: what is there goes on, if anything is. */
export function endResume(draft: Draft, broadcast: BroadcastState): void {
  const { row, tracks } = broadcast;
  const wanted = wantedTransport(broadcast);
  const missing = [...tracks.values()].filter((track) => track.transportId !== wanted);
  if (missing.length === tracks.size) {
    if (row.state === "moving") endLeaving(draft, broadcast);
    else endBroadcast(draft, broadcast);
    return;
  }
  for (const { id: trackId } of missing) {
    tracks.delete(trackId);
    draft.changes.tracks.remove(trackId);
    const { id: broadcastId } = row;
    emitEverywhere(draft, broadcast, { type: "track.removed", broadcastId, trackId });
  }
  settleResume(draft, broadcast);
}

/**
 * Ends a broadcast's second place: where it was, or, of a move that came to
 * nothing, where it was to go. What its pipes carried before closes.
 */
export function endLeaving(draft: Draft, broadcast: BroadcastState): void {
  const { row, tracks } = broadcast;
  draft.clearDeadline("leave", row.id);
  closeOldPipes(draft, broadcast);
  if (row.otherWorkerId === null || row.otherTransportId === null) return;
  if (row.state === "moving") {
    draft.clearDeadline("resume", row.id);
    // A session gives up its old place once all its tracks are at the new one: those
    // that were there first are at the old one still.
    for (const track of tracks.values()) {
      if (track.transportId === row.transportId) continue;
      track.transportId = row.transportId;
      draft.changes.tracks.put(track);
    }
  }
  draft.instruct(nodeIdOfWorker(row.otherWorkerId), {
    kind: "close-transport",
    transportId: row.otherTransportId,
    sessionId: row.sessionId,
  });
  setPlaces(draft, broadcast, row.workerId, row.transportId);
  setState(draft, broadcast, "live");
}

function setState(
  draft: Draft,
  { row }: BroadcastState,
  state: BroadcastState["row"]["state"],
): void {
  row.state = state;
  draft.changes.broadcasts.put(row);
}

function tellMoved(
  draft: Draft,
  { row }: BroadcastState,
  reason: string,
  oldRunsMs: number,
  withinMs: number,
): void {
  const home = draft.state.rooms.get(row.homeRoomId);
  const { id: broadcastId, sessionId } = row;
  const type = "broadcast.moved";
  const moved = { type, broadcastId, reason, oldRunsMs, withinMs } as const;
  if (home) draft.emitForSession(home, sessionId, moved);
}
