import type { WorkerRef } from "#schema/agent/instructions.ts";
import { newTransportId, nodeIdOfWorker } from "#schema/ids.ts";
import type { TrackSource } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";
import { settleResume } from "../broadcast-moves.ts";
import { endBroadcast, releaseViewers } from "../claims.ts";
import { type Refusal, sessionDecision } from "../decision.ts";
import type { Draft } from "../draft.ts";
import type { BroadcastState, RoomState, SessionRow } from "../state.ts";
import { emitEverywhere } from "../tell-rooms.ts";
import { placeFor, sourceRefusal } from "./may-broadcast.ts";
import { broadcastView } from "./sessions.ts";

export interface ClaimedBroadcast {
  broadcastId: string;
  worker: WorkerRef;
  transportId: string;
  afterSeq: number;
}

/** Claims a producer place for a session's camera or screen. */
export const claimBroadcast = sessionDecision<
  { roomId: string; sessionId: string; media: MediaClass },
  ClaimedBroadcast
>((draft, { media }, room, session) => {
  const place = placeFor(draft, media, room, session);
  return "refusal" in place ? place : takePlace(draft, media, room, session, place);
});

/** Takes a producer place that was found in the same decision. */
export function takePlace(
  draft: Draft,
  media: MediaClass,
  room: RoomState,
  session: SessionRow,
  { workerId, dedicates }: { workerId: string; dedicates: boolean },
): ClaimedBroadcast {
  const nodeId = nodeIdOfWorker(workerId);
  if (dedicates) draft.state.picture.dedicate(workerId, room.row.id);
  const broadcast: BroadcastState = {
    row: {
      id: draft.newId("broadcast"),
      homeRoomId: room.row.id,
      sessionId: session.id,
      identity: session.identity,
      mediaClass: media,
      workerId,
      transportId: newTransportId(nodeId),
      state: "live",
      otherWorkerId: null,
      otherTransportId: null,
      trackVersion: 0,
      claimedAtMs: draft.nowMs,
    },
    tracks: new Map(),
    rooms: new Set([room.row.id]),
  };
  const { row } = broadcast;
  draft.state.broadcasts.set(row.id, broadcast);
  draft.state.picture.addBroadcast({
    id: row.id,
    homeRoomId: room.row.id,
    producerWorkerId: workerId,
    mediaClass: media,
  });
  draft.touchWorker(workerId);
  draft.changes.broadcasts.put(row);
  const counted = media === "camera";
  draft.changes.broadcastRooms.put({ broadcastId: row.id, roomId: room.row.id, counted });
  room.broadcasts.add(row.id);
  if (counted) room.row.broadcastsLive += 1;
  draft.touchRoom(room);
  return {
    broadcastId: row.id,
    worker: draft.workerRef(workerId),
    transportId: row.transportId,
    afterSeq: draft.afterSeq(nodeId),
  };
}

/** Ends a session's own broadcast; twice is once. */
export const stopBroadcast = sessionDecision<
  { roomId: string; sessionId: string; broadcastId: string },
  { stopped: boolean }
>((draft, { sessionId, broadcastId }) => {
  const broadcast = draft.state.broadcasts.get(broadcastId);
  if (broadcast?.row.sessionId !== sessionId) return { stopped: false };
  endBroadcast(draft, broadcast);
  return { stopped: true };
});

export type OwnBroadcast = { roomId: string; sessionId: string; broadcastId: string };

/** A session's own broadcast; another's is as good as none. */
export function ownBroadcast(
  draft: Draft,
  input: OwnBroadcast,
): BroadcastState | Refusal {
  const broadcast = draft.state.broadcasts.get(input.broadcastId);
  return broadcast?.row.sessionId === input.sessionId
    ? broadcast
    : { refusal: "not-found" };
}

/**
 * Finds where a session's own broadcast is produced, for calls to its node.
 * Naming a source asks whether the session may send it.
 */
export const locateBroadcast = sessionDecision<
  OwnBroadcast & { source?: TrackSource },
  ClaimedBroadcast & { media: MediaClass; kinds: ("audio" | "video")[] }
>((draft, input, _, session) => {
  const broadcast = ownBroadcast(draft, input);
  if ("refusal" in broadcast) return broadcast;
  const refused = input.source && sourceRefusal(session, input.source);
  if (refused) return refused;
  const { id, workerId, transportId, mediaClass } = broadcast.row;
  return {
    media: mediaClass,
    kinds: [...broadcast.tracks.values()].map((track) => track.kind),
    broadcastId: id,
    worker: draft.workerRef(workerId),
    transportId,
    afterSeq: draft.afterSeq(nodeIdOfWorker(workerId)),
  };
});

/** Records a track whose producer runs: the first one makes the broadcast live. */
export const addTrack = sessionDecision<
  OwnBroadcast & {
    trackId: string;
    kind: "audio" | "video";
    source: TrackSource;
    paused: boolean;
    /** The transport that it was produced on; default: the broadcast's. */
    transportId?: string;
  },
  { id: string; source: TrackSource; paused: boolean }
>((draft, input, _, session) => {
  const broadcast = ownBroadcast(draft, input);
  if ("refusal" in broadcast) return broadcast;
  const { trackId, kind, source, paused } = input;
  const refused = sourceRefusal(session, source);
  if (refused) return refused;
  const track = { id: trackId, source, paused };
  if (broadcast.tracks.has(trackId)) return track;
  const first = broadcast.tracks.size === 0;
  const { id: broadcastId } = broadcast.row;
  const transportId = input.transportId ?? broadcast.row.transportId;
  const row = { id: trackId, broadcastId, kind, source, paused, transportId };
  broadcast.tracks.set(trackId, row);
  draft.changes.tracks.put(row);
  emitEverywhere(
    draft,
    broadcast,
    first
      ? { type: "broadcast.started", broadcast: broadcastView(broadcast) }
      : { type: "track.added", broadcastId, track },
  );
  return track;
});

/** Mutes, unmutes or ends a track, at its producer and at every leg. */
export const changeTrack = sessionDecision<
  OwnBroadcast & { trackId: string; wanted: "playing" | "paused" | "closed" },
  { id: string; source: TrackSource; paused: boolean }
>((draft, input) => {
  const broadcast = ownBroadcast(draft, input);
  if ("refusal" in broadcast) return broadcast;
  const { trackId, wanted, broadcastId } = input;
  const track = broadcast.tracks.get(trackId);
  if (!track) return { refusal: "not-found" };
  broadcast.row.trackVersion += 1;
  draft.changes.broadcasts.put(broadcast.row);
  track.paused = wanted === "paused";
  if (wanted === "closed") {
    broadcast.tracks.delete(trackId);
    draft.changes.tracks.remove(trackId);
    emitEverywhere(draft, broadcast, { type: "track.removed", broadcastId, trackId });
    if (broadcast.tracks.size === 0) {
      // Nothing is left to watch, until a track comes again.
      releaseViewers(draft, broadcast);
      emitEverywhere(draft, broadcast, { type: "broadcast.stopped", broadcastId });
    }
  } else {
    draft.changes.tracks.put(track);
    const type = wanted === "paused" ? "track.muted" : "track.unmuted";
    emitEverywhere(draft, broadcast, { type, broadcastId, trackId });
  }
  const pipes = draft.state.picture.pipesOf(broadcastId);
  const { workerId, otherWorkerId } = broadcast.row;
  const workers = [workerId, ...pipes.map((pipe) => pipe.consumerWorkerId)];
  if (otherWorkerId) workers.push(otherWorkerId);
  for (const nodeId of new Set(workers.map(nodeIdOfWorker))) {
    const version = broadcast.row.trackVersion;
    draft.instruct(nodeId, { kind: "track", broadcastId, trackId, version, wanted });
  }
  settleResume(draft, broadcast);
  return { id: track.id, source: track.source, paused: track.paused };
});
