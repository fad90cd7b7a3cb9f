import type { z } from "zod";
import type { createdBroadcast, createTrack } from "#schema/api/media.ts";
import { newId, nodeIdOfWorker, zoneOf } from "#schema/ids.ts";
import { type DtlsParametersWire, sourcesOf } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";
import { verifyJoinToken } from "../auth/join-tokens.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import type { IdempotencyScope } from "../broker/requests.ts";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { ask } from "./ask.ts";
import { callNode } from "./calls.ts";
import { requireUnrevoked } from "./revocations.ts";

/**
 * Claims a producer place and makes the sending transport on it. Where the
 * host cannot make one, the place is given back.
 */
export async function startBroadcast(
  env: Env,
  session: SessionPrincipal,
  media: MediaClass,
  dtlsParameters: DtlsParametersWire | undefined,
  idempotency?: IdempotencyScope,
): Promise<z.output<typeof createdBroadcast>> {
  const { roomId, sessionId } = session;
  const zone = zoneOf(roomId) ?? "";
  const input = { roomId, sessionId, media };
  const claimed = await ask(env, zone, "claimBroadcast", input, idempotency);
  const { broadcastId, worker, transportId, afterSeq } = claimed;
  const maxKbps = configOf(env).settings.nominalKbps[media].leg;
  try {
    const { transport } = await callNode(
      env,
      nodeIdOfWorker(worker.workerId),
      {
        op: "open-send-transport",
        roomId,
        sessionId,
        worker,
        transportId,
        broadcastId,
        maxIncomingKbps: maxKbps,
        dtlsParameters,
      },
      afterSeq,
    );
    return { id: broadcastId, transport, workerId: worker.workerId, maxKbps };
  } catch (error) {
    await ask(env, zone, "stopBroadcast", { roomId, sessionId, broadcastId });
    throw error;
  }
}

/** Makes a track's producer, then lets the room know of it. */
export async function startTrack(
  env: Env,
  { roomId, sessionId }: SessionPrincipal,
  broadcastId: string,
  track: z.output<typeof createTrack>,
) {
  const zone = zoneOf(roomId) ?? "";
  const own = { roomId, sessionId, broadcastId };
  const { worker, transportId, afterSeq, kinds, media } = await ask(
    env,
    zone,
    "locateBroadcast",
    { ...own, source: track.source },
  );
  const { kind, source, rtpParameters, paused } = track;
  const allowed = sourcesOf[media][kind];
  if (source !== allowed) {
    throw new Problem("validation-failed", {
      errors: [
        { path: "source", message: `has to be ${allowed} for ${kind} of a ${media}` },
      ],
    });
  }
  if (kinds.includes(kind)) {
    throw new Problem("validation-failed", {
      errors: [{ path: "kind", message: `the broadcast has its ${kind} track already` }],
    });
  }
  const trackId = newId("track", zone);
  await callNode(
    env,
    nodeIdOfWorker(worker.workerId),
    {
      op: "produce",
      roomId,
      sessionId,
      transportId,
      broadcastId,
      trackId,
      kind,
      source,
      rtpParameters,
      paused,
    },
    afterSeq,
  );
  return ask(env, zone, "addTrack", {
    ...own,
    trackId,
    kind,
    source,
    paused,
    transportId,
  });
}

/**
 * Shows a session's own broadcast in another room of the same account, whose
 * join token the session holds.
 */
export async function showInRoom(
  env: Env,
  { roomId, sessionId }: SessionPrincipal,
  broadcastId: string,
  token: string,
) {
  const joining = await verifyJoinToken(configOf(env), token);
  await requireUnrevoked(env, joining);
  if (!joining.canPublish) {
    const detail = "The other room's token does not let it publish.";
    throw new Problem("forbidden", { detail });
  }
  if (zoneOf(joining.roomId) !== zoneOf(roomId)) {
    throw new Problem("not-found", { detail: "A broadcast's rooms are in one zone." });
  }
  const { accountId, canPublishSources, roomId: otherRoomId } = joining;
  const other = { otherRoomId, accountId, canPublishSources };
  const input = { roomId, sessionId, broadcastId, ...other };
  return ask(env, zoneOf(roomId) ?? "", "showBroadcast", input);
}
