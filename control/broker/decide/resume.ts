import { nodeIdOfTransport } from "#schema/ids.ts";
import type { TrackSource } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";
import { interrupt, settleResume, wantedTransport } from "../broadcast-moves.ts";
import { sessionDecision } from "../decision.ts";
import { replace } from "../places.ts";
import type { TrackRow } from "../state.ts";
import { type ClaimedBroadcast, type OwnBroadcast, ownBroadcast } from "./broadcasts.ts";

/**
 * A session sends its broadcast anew: answers where to. Asked while it is
 * interrupted or moving, it is the place that is kept for it, however often it
 * asks; asked while all is well, its session has lost the transport that it had.
 */
export const resumeBroadcast = sessionDecision<
  OwnBroadcast,
  ClaimedBroadcast & { media: MediaClass }
>((draft, input) => {
  const broadcast = ownBroadcast(draft, input);
  if ("refusal" in broadcast) return broadcast;
  const { row } = broadcast;
  if (row.state === "live" || row.state === "leaving") {
    draft.instruct(nodeIdOfTransport(row.transportId), {
      kind: "close-transport",
      transportId: row.transportId,
      sessionId: row.sessionId,
    });
    interrupt(draft, broadcast, "its broadcaster sends it anew");
  }
  const { picture } = draft.state;
  const worker = picture.workers.get(row.workerId);
  if (row.state === "interrupted" && !(worker && picture.isOpen(worker))) {
    const missing = replace(draft, broadcast);
    if (missing) return { refusal: missing.code, retryAfter: 2 };
  }
  const transportId = wantedTransport(broadcast);
  const workerId = row.state === "moving" ? row.otherWorkerId : row.workerId;
  if (broadcast.tracks.size === 0) settleResume(draft, broadcast, true);
  return {
    broadcastId: row.id,
    media: row.mediaClass,
    worker: draft.workerRef(workerId ?? row.workerId),
    transportId,
    afterSeq: draft.afterSeq(nodeIdOfTransport(transportId)),
  };
});

/** What a call needs to produce a track again on its broadcast's new transport. */
export const locateTrack = sessionDecision<
  OwnBroadcast & { trackId: string },
  Pick<TrackRow, "kind" | "source"> & { transportId: string; afterSeq: number }
>((draft, input) => {
  const broadcast = ownBroadcast(draft, input);
  if ("refusal" in broadcast) return broadcast;
  const track = broadcast.tracks.get(input.trackId);
  if (!track) return { refusal: "not-found" };
  const transportId = wantedTransport(broadcast);
  const { kind, source } = track;
  return {
    kind,
    source,
    transportId,
    afterSeq: draft.afterSeq(nodeIdOfTransport(transportId)),
  };
});

/** A track is produced again; with the last of them the broadcast goes on. */
export const resumeTrack = sessionDecision<
  OwnBroadcast & { trackId: string; transportId: string },
  { id: string; source: TrackSource; paused: boolean }
>((draft, input) => {
  const broadcast = ownBroadcast(draft, input);
  if ("refusal" in broadcast) return broadcast;
  const track = broadcast.tracks.get(input.trackId);
  if (!track) return { refusal: "not-found" };
  if (input.transportId !== wantedTransport(broadcast)) {
    const detail = "The broadcast was given another transport meanwhile: ask for it.";
    return { refusal: "media-failed", detail, retryAfter: 1 };
  }
  track.transportId = input.transportId;
  draft.changes.tracks.put(track);
  settleResume(draft, broadcast);
  return { id: track.id, source: track.source, paused: track.paused };
});
