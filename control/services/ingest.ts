import { nodeIdOfWorker, zoneOf } from "#schema/ids.ts";
import type { MediaClass } from "#schema/settings.ts";
import type { Joining } from "../auth/join-tokens.ts";
import { mintStreamKey } from "../auth/stream-keys.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { ask } from "./ask.ts";
import { callNode, callTransport } from "./calls.ts";
import { requireUnrevoked } from "./revocations.ts";

/** What an encoder or player is answered with: the resource, and its SDP. */
export interface Negotiated {
  sessionId: string;
  answer: string;
  /** Of the ICE session: for If-Match. */
  etag: string;
}

/** What the zone has to know of an encoder or player that comes in. */
export function enteringBySdp(joining: Joining) {
  const { keyId: _, issuedAtMs: __, replaces: ___, origin: ____, ...entering } = joining;
  return entering;
}

/**
 * Takes an encoder in: a session and a broadcast in one commit, then one call to
 * the host, which takes the whole offer. What fails gives all of it back.
 */
export async function ingest(
  env: Env,
  joining: Joining,
  media: MediaClass,
  offer: string,
): Promise<Negotiated> {
  await requireUnrevoked(env, joining);
  const input = enteringBySdp(joining);
  const { roomId } = input;
  const zone = zoneOf(roomId) ?? "";
  const started = await ask(env, zone, "startIngest", { ...input, media });
  const { sessionId, broadcastId, worker, transportId, trackIds, afterSeq } = started;
  const own = { roomId, sessionId };
  try {
    const taken = await callNode(
      env,
      nodeIdOfWorker(worker.workerId),
      {
        op: "ingest",
        ...own,
        worker,
        transportId,
        broadcastId,
        media,
        maxIncomingKbps: configOf(env).settings.nominalKbps[media].leg,
        trackIds,
        offer,
      },
      afterSeq,
    );
    // Asked for at once, they go into one commit.
    await Promise.all(
      taken.tracks.map(({ id: trackId, kind, source }) =>
        ask(env, zone, "addTrack", {
          ...own,
          broadcastId,
          trackId,
          kind,
          source,
          paused: false,
        }),
      ),
    );
    return { sessionId, answer: taken.answer, etag: taken.etag };
  } catch (error) {
    await ask(env, zone, "leaveRoom", own);
    throw error;
  }
}

/** Which resource of SDP negotiation is meant, and whose it has to be. */
export interface Carried {
  roomId: string;
  sessionId: string;
  identity: string;
  carrier: "whip" | "whep";
}

/** Finds the resource's transport. @throws Problem `not-found` where it is another's */
export function locateCarried(
  env: Env,
  carried: Carried,
): Promise<{ transportId: string }> {
  return ask(env, zoneOf(carried.roomId) ?? "", "locateCarried", carried);
}

/**
 * Takes a trickle fragment or restarts ICE.
 * @param ifMatch the entity tag without its quotes, or `*`; one is needed
 * @returns the fragment to answer with after a restart
 */
export async function patchIce(
  env: Env,
  carried: Carried,
  fragment: string,
  ifMatch: string | undefined,
): Promise<{ etag: string; fragment?: string }> {
  const { roomId, sessionId } = carried;
  const { transportId } = await locateCarried(env, carried);
  if (!ifMatch) {
    const detail = 'Send If-Match: the ETag of the last answer, or "*" to restart ICE.';
    throw new Problem("precondition-required", { detail });
  }
  const request = { roomId, sessionId, transportId, fragment, ifMatch };
  const patched = await callTransport(env, transportId, { op: "patch-ice", ...request });
  if (patched.status !== "stale") return patched;
  const detail = "If-Match names another ICE session than the present one.";
  throw new Problem("precondition-failed", { detail });
}

/** Ends an encoder's or player's session: everything it held is given back. */
export async function endCarried(env: Env, carried: Carried): Promise<void> {
  const { roomId, sessionId } = carried;
  await locateCarried(env, carried);
  await ask(env, zoneOf(roomId) ?? "", "leaveRoom", { roomId, sessionId });
}

/** Makes a key for an encoder that publishes under the session's identity. */
export async function makeStreamKey(env: Env, session: SessionPrincipal) {
  const { roomId, sessionId } = session;
  await ask(env, zoneOf(roomId) ?? "", "mayPublish", { roomId, sessionId });
  const config = configOf(env);
  const { camera, screen } = config.settings.nominalKbps;
  return {
    path: `/v1/rooms/${roomId}/whip`,
    ...(await mintStreamKey(config, session)),
    maxKbps: { camera: camera.leg, screen: screen.leg },
  };
}
