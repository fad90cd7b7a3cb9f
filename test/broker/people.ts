import { randomUUID } from "node:crypto";
import type { ClaimedBroadcast } from "#control/broker/decide/broadcasts.ts";
import type { Registering } from "#control/broker/decide/node-keys.ts";
import type { Entered } from "#control/broker/decide/sessions.ts";
import type { ClaimedView } from "#control/broker/decide/views.ts";
import { newId, nodeIdOf, workerIdOf } from "#schema/ids.ts";
import type { MediaClass } from "#schema/settings.ts";
import { type Zone, zoneName } from "#test/harness/zone.ts";

/* What hosts and participants ask of a zone, so that tests read as stories. */

export const accountId = "account_test_one";

const kinds = {
  producer: { role: "producer", mediaClass: "camera" },
  consumer: { role: "consumer", mediaClass: "camera" },
  "screen-producer": { role: "producer", mediaClass: "screen" },
  "screen-consumer": { role: "consumer", mediaClass: "screen" },
} as const;

export interface HostOptions {
  name?: string;
  workers?: (keyof typeof kinds)[];
  /** Points of each consumer worker; default: the settings'. */
  points?: number;
  egressKbps?: number;
  ingressKbps?: number;
  egressQuotaGbPerMonth?: number;
}

export interface Host {
  nodeId: string;
  epoch: number;
  name: string;
  workers: { workerId: string; incarnation: string }[];
}

export function registration(options: HostOptions): Omit<Registering, "challengeEpoch"> {
  const workers = options.workers ?? ["producer", "consumer", "consumer"];
  return {
    zone: zoneName,
    name: options.name ?? "a",
    agentVersion: "1",
    workers: workers.map((kind, ordinal) => ({
      ordinal,
      incarnation: randomUUID(),
      ...kinds[kind],
      points: kinds[kind].role === "consumer" ? options.points : undefined,
    })),
    egressKbps: options.egressKbps ?? 10_000_000,
    ingressKbps: options.ingressKbps ?? 10_000_000,
    egressQuotaGbPerMonth: options.egressQuotaGbPerMonth,
    publicKey: "k".repeat(43),
    addresses: { pipe: "127.0.0.1" },
    codecsHash: "c".repeat(64),
    routerRtpCapabilities: { codecs: [], headerExtensions: [] },
  };
}

/** Registers a host, or the same host again. */
export async function register(zone: Zone, options: HostOptions = {}): Promise<Host> {
  const request = registration(options);
  const before = { nodeId: nodeIdOf(zoneName, request.name) };
  const { epoch: challengeEpoch } = await zone.get("readNodeEpoch", before);
  const registering = { ...request, challengeEpoch };
  const { nodeId, epoch } = await zone.get("registerNode", registering);
  const workers = request.workers.map(({ ordinal, incarnation }) => ({
    workerId: workerIdOf(nodeId, ordinal),
    incarnation,
  }));
  return { nodeId, epoch, name: request.name, workers };
}

export async function openRoom(zone: Zone, tier = 1): Promise<string> {
  return (await zone.get("createRoom", { accountId, tier, reserve: false })).id;
}

/** What someone who may do everything brings to a room. */
export function entry(roomId: string, identity = "somebody") {
  const may = { canPublish: true, canSubscribe: true, roomAdmin: false };
  return { roomId, identity, ...may };
}

export async function enter(zone: Zone, roomId: string): Promise<string> {
  const { sessionId }: Entered = await zone.get("enterRoom", entry(roomId));
  return sessionId;
}

/** Enters and stays: the channel is connected. */
export async function join(zone: Zone, roomId: string): Promise<string> {
  const sessionId = await enter(zone, roomId);
  await zone.get("attachSession", { roomId, sessionId });
  return sessionId;
}

export function trackOf(media: MediaClass) {
  return {
    trackId: newId("track", zoneName),
    kind: "video" as const,
    source: media,
    paused: false,
  };
}

/** Claims a place and produces a first track: the broadcast is live. */
export async function goLive(
  zone: Zone,
  roomId: string,
  sessionId: string,
  media: MediaClass = "camera",
): Promise<ClaimedBroadcast & { trackId: string }> {
  const claimed = await zone.get("claimBroadcast", { roomId, sessionId, media });
  const { broadcastId } = claimed;
  const track = trackOf(media);
  await zone.get("addTrack", { roomId, sessionId, broadcastId, ...track });
  return { ...claimed, trackId: track.trackId };
}

/** Somebody who enters a room and broadcasts there. */
export async function broadcaster(zone: Zone, roomId: string, media?: MediaClass) {
  const sessionId = await join(zone, roomId);
  return { sessionId, ...(await goLive(zone, roomId, sessionId, media)) };
}

/** Claims views; throws where one is refused. */
export async function watch(
  zone: Zone,
  roomId: string,
  sessionId: string,
  broadcasts: "all" | string[] = "all",
): Promise<ClaimedView[]> {
  const answer = await zone.get("claimViews", { roomId, sessionId, broadcasts });
  if (answer.refused.length > 0) {
    throw new Error(`A view was refused: ${JSON.stringify(answer.refused)}`);
  }
  return answer.views;
}

/** Watches until the media has connected. */
export async function watchActive(
  zone: Zone,
  roomId: string,
  sessionId: string,
  broadcasts: "all" | string[] = "all",
): Promise<ClaimedView[]> {
  const views = await watch(zone, roomId, sessionId, broadcasts);
  const viewIds = views.map(({ viewId }) => viewId);
  await zone.get("activateViews", { roomId, sessionId, viewIds });
  return views;
}

/** One of a host's workers dies, and another takes its place. */
export async function die(zone: Zone, host: Host, at: number): Promise<void> {
  const { nodeId, epoch } = host;
  const { workerId = "", incarnation = "" } = host.workers[at] ?? {};
  const died = { nodeId, epoch, workerId, incarnation, replacedBy: "another" };
  await zone.get("workerDied", died);
}

/** A host tells control that it lives. */
export function heard(zone: Zone, host: Host) {
  const beat = { ...host, draining: false, egressKbps: 0, workers: [] };
  return zone.ask("nodeHeard", beat);
}

/** A host was not heard for so long that it comes to a state. */
export function silent(zone: Zone, { nodeId, epoch }: Host, state: "suspect" | "gone") {
  return zone.get("nodeSilent", { nodeId, epoch, state });
}

/** A host as the operator sees it. */
export async function nodeOf(zone: Zone, host: Host) {
  const { nodes } = await zone.get("readFleet", {});
  return nodes.find(({ id }) => id === host.nodeId);
}
