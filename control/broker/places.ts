import { newTransportId, nodeIdOfWorker } from "#schema/ids.ts";
import type { BroadcastPlacement } from "../placement/decision.ts";
import { placeBroadcast } from "../placement/producer.ts";
import { endBroadcast, freeIdleProducer } from "./claims.ts";
import type { Draft } from "./draft.ts";
import { closeOldPipes, repipe, tellRenewed } from "./repipe.ts";
import type { BroadcastState, RoomRow } from "./state.ts";
import { emitEverywhere } from "./tell-rooms.ts";

/*
 * A broadcast outlives the transport and the worker that it is sent to. One that
 * was cut off is `interrupted` and kept for a while; one that is asked to go
 * elsewhere is `moving` and holds two places until its tracks are at the second,
 * and `leaving` until the first has run out. Its rooms have to be loaded.
 */

/** Where a room's broadcast may be produced. */
export function choosePlace(
  draft: Draft,
  room: RoomRow,
  mediaClass: "camera" | "screen",
  moving: { pipedTo?: string[]; avoid?: ReadonlySet<string> } = {},
): BroadcastPlacement {
  const tier = draft.settings.tiers[room.tier];
  const { secondProducerWorkerFrom } = draft.settings.weight;
  return placeBroadcast(
    {
      roomId: room.id,
      mediaClass,
      dedicated: mediaClass === "camera" && tier?.producer === "dedicated",
      producerWorkersMax: (tier?.broadcasts ?? 0) >= secondProducerWorkerFrom ? 2 : 1,
      ...moving,
    },
    draft.state.picture,
  );
}

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

/**
 * Finds an interrupted broadcast a place, where it has none that is of use.
 * @returns what is missing, or nothing
 */
export function replace(
  draft: Draft,
  broadcast: BroadcastState,
): Extract<BroadcastPlacement, { code: unknown }> | undefined {
  const { row } = broadcast;
  const { picture, nodes, rooms } = draft.state;
  const home = rooms.get(row.homeRoomId);
  if (!home) throw new Error(`Room ${row.homeRoomId} is not loaded.`);
  const worker = picture.workers.get(row.workerId);
  const fits = worker?.role === "producer" && worker.mediaClass === row.mediaClass;
  let workerId = row.workerId;
  let dedicates = isDedicated(draft, home.row, row.mediaClass) && !worker?.dedicatedTo;
  if (!worker || !fits || !picture.isOpen(worker)) {
    const pipedTo = picture
      .pipesOf(row.id)
      .map((pipe) => nodeIdOfWorker(pipe.consumerWorkerId));
    const avoid = new Set([row.workerId]);
    let place = choosePlace(draft, home.row, row.mediaClass, { pipedTo, avoid });
    if ("code" in place) {
      place = choosePlace(draft, home.row, row.mediaClass, { avoid });
    }
    if ("code" in place) {
      // A host that takes nothing new still has what it had.
      const stays = fits && worker?.open && nodes.get(worker.nodeId)?.state === "ready";
      if (!stays) {
        // What is on its way to the old transport must not count as arrived.
        setPlaces(draft, broadcast, workerId, newTransportId(nodeIdOfWorker(workerId)));
        return place;
      }
    } else ({ workerId, dedicates } = place);
  }
  if (dedicates) {
    picture.dedicate(workerId, home.row.id);
    draft.touchWorker(workerId);
  }
  setPlaces(draft, broadcast, workerId, newTransportId(nodeIdOfWorker(workerId)));
  repipe(draft, broadcast, false);
  return undefined;
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

/** Goes on from the new place, if all tracks are there. */
export function settleResume(draft: Draft, broadcast: BroadcastState): void {
  const { row, tracks } = broadcast;
  if (row.state !== "interrupted" && row.state !== "moving") return;
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
  const { row } = broadcast;
  draft.clearDeadline("leave", row.id);
  closeOldPipes(draft, broadcast);
  if (row.otherWorkerId === null || row.otherTransportId === null) return;
  if (row.state === "moving") draft.clearDeadline("resume", row.id);
  draft.instruct(nodeIdOfWorker(row.otherWorkerId), {
    kind: "close-transport",
    transportId: row.otherTransportId,
    sessionId: row.sessionId,
  });
  setPlaces(draft, broadcast, row.workerId, row.transportId);
  setState(draft, broadcast, "live");
}

/** Whether a broadcast's session has no channel on which it could be asked to move. */
export function isCarried(draft: Draft, { row }: BroadcastState): boolean {
  const home = draft.state.rooms.get(row.homeRoomId);
  return (home?.sessions.get(row.sessionId)?.carrier ?? "channel") !== "channel";
}

/** Gives a broadcast its places; a worker that it leaves is everyone's again. */
function setPlaces(
  draft: Draft,
  { row }: BroadcastState,
  workerId: string,
  transportId: string,
  otherWorkerId?: string,
  otherTransportId?: string,
): void {
  const before = [row.workerId, row.otherWorkerId].filter((id) => id !== null);
  row.workerId = workerId;
  row.transportId = transportId;
  row.otherWorkerId = otherWorkerId ?? null;
  row.otherTransportId = otherTransportId ?? null;
  draft.state.picture.placeBroadcast(row.id, workerId, otherWorkerId);
  draft.changes.broadcasts.put(row);
  for (const id of [workerId, otherWorkerId]) if (id) draft.touchWorker(id);
  for (const id of before) {
    draft.touchWorker(id);
    if (id !== workerId && id !== otherWorkerId) {
      freeIdleProducer(draft, row.homeRoomId, id);
      draft.roomAppeared();
    }
  }
}

function setState(
  draft: Draft,
  { row }: BroadcastState,
  state: BroadcastState["row"]["state"],
): void {
  row.state = state;
  draft.changes.broadcasts.put(row);
}

function isDedicated(draft: Draft, room: RoomRow, media: "camera" | "screen"): boolean {
  return media === "camera" && draft.settings.tiers[room.tier]?.producer === "dedicated";
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
