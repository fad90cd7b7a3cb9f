import type { z } from "zod";
import type {
  createdBroadcast,
  resumeTrack as resumeTrackBody,
} from "#schema/api/media.ts";
import { nodeIdOfTransport, nodeIdOfWorker, zoneOf } from "#schema/ids.ts";
import type { DtlsParametersWire } from "#schema/media.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import { configOf, type Env } from "../env.ts";
import { ask } from "./ask.ts";
import { callNode } from "./calls.ts";

/**
 * Makes a new sending transport for a broadcast that goes on: on the worker that
 * is kept for it, or on another. Where the host fails, asking again finds a place.
 */
export async function resumeBroadcast(
  env: Env,
  { roomId, sessionId }: SessionPrincipal,
  broadcastId: string,
  dtlsParameters: DtlsParametersWire | undefined,
): Promise<z.output<typeof createdBroadcast>> {
  const own = { roomId, sessionId, broadcastId };
  const resumed = await ask(env, zoneOf(roomId) ?? "", "resumeBroadcast", own);
  const { worker, transportId, afterSeq, media } = resumed;
  const maxKbps = configOf(env).settings.nominalKbps[media].leg;
  const { transport } = await callNode(
    env,
    nodeIdOfWorker(worker.workerId),
    {
      op: "open-send-transport",
      ...own,
      worker,
      transportId,
      maxIncomingKbps: maxKbps,
      dtlsParameters,
    },
    afterSeq,
  );
  return { id: broadcastId, transport, workerId: worker.workerId, maxKbps };
}

/** Produces a track again on its broadcast's new transport, under its own id. */
export async function resumeTrack(
  env: Env,
  { roomId, sessionId }: SessionPrincipal,
  broadcastId: string,
  trackId: string,
  { rtpParameters, paused }: z.output<typeof resumeTrackBody>,
) {
  const zone = zoneOf(roomId) ?? "";
  const own = { roomId, sessionId, broadcastId, trackId };
  const located = await ask(env, zone, "locateTrack", own);
  const { kind, source, transportId, afterSeq } = located;
  await callNode(
    env,
    nodeIdOfTransport(transportId),
    { op: "produce", ...own, transportId, kind, source, rtpParameters, paused },
    afterSeq,
  );
  const track = await ask(env, zone, "resumeTrack", { ...own, transportId });
  if (track.paused === paused) return track;
  const wanted = paused ? "paused" : "playing";
  return ask(env, zone, "changeTrack", { ...own, wanted });
}
