import { afterEach, beforeEach, expect, test } from "vitest";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkPictureEqualsDatabase } from "./check-picture.ts";
import {
  broadcaster,
  die,
  type Host,
  join,
  openRoom,
  register,
  silent,
  trackOf,
  watchActive,
} from "./people.ts";

/* A broadcast outlives the transport, the worker and the host that it is sent to. */

let zone: Zone;
let roomId: string;
let producers: Host;
let owner: Awaited<ReturnType<typeof broadcaster>>;
let viewer: string;
let viewId: string;

beforeEach(async () => {
  zone = await startZone();
  producers = await register(zone, { name: "p", workers: ["producer"] });
  await register(zone, { name: "c", workers: ["consumer"] });
  roomId = await openRoom(zone);
  owner = await broadcaster(zone, roomId);
  viewer = await join(zone, roomId);
  const [view] = await watchActive(zone, roomId, viewer);
  viewId = view?.viewId ?? "";
});

afterEach(async () => {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
  expect(await checkPictureEqualsDatabase(zone)).toEqual([]);
});

const own = () => ({
  roomId,
  sessionId: owner.sessionId,
  broadcastId: owner.broadcastId,
});
const roomTold = () => zone.told(roomId).map(({ event }) => event.type);
const viewerTold = () => zone.toldTo(roomId, viewer).map(({ event }) => event);
const ownerTold = () => zone.toldTo(roomId, owner.sessionId).map(({ event }) => event);
const generation = () => zone.count("SELECT generation FROM pipe");
const broadcasts = () => zone.count("SELECT count(*) FROM broadcast");
const closings = () =>
  zone.committed
    .flatMap(({ instructions }) => [...instructions.values()].flat())
    .map(({ instruction }) => instruction)
    .filter((one) => one.kind === "pipe" && one.wanted === "closed");

async function loseTransport(): Promise<void> {
  const { transportId } = owner;
  const reason = "ICE was disconnected";
  const lost = { ...own(), transportId, direction: "send" as const, viewIds: [], reason };
  await zone.get("transportLost", lost);
}

/** Sends again what there is, as a client does. */
async function resume(trackIds = [owner.trackId]) {
  const { transportId, worker } = await zone.get("resumeBroadcast", own());
  for (const trackId of trackIds) {
    await zone.get("resumeTrack", { ...own(), trackId, transportId });
  }
  return { transportId, worker };
}

/** The new generation's legs are made, as the first viewer's sync does. */
async function sync(): Promise<void> {
  const sessionId = viewer;
  const { views } = await zone.get("locateViews", {
    roomId,
    sessionId,
    viewIds: [viewId],
  });
  const [view] = views;
  const { broadcastId = "", consumer, generation: at = 0 } = view ?? {};
  const workerId = consumer?.workerId ?? "";
  await zone.get("openPipes", { pipes: [{ broadcastId, workerId, generation: at }] });
}

test("the host that a broadcast was cut off from, and that it leaves, is told that its pipes are over", async () => {
  await register(zone, { name: "q", workers: ["producer"] });
  const { nodeId } = producers;
  const before = await generation();
  await silent(zone, producers, "suspect");
  await loseTransport();
  expect(
    await zone.count("SELECT count(*) FROM broadcast WHERE worker_id LIKE '%_q_%'"),
  ).toBe(1);
  const told = zone.committed.flatMap(
    ({ instructions }) => instructions.get(nodeId) ?? [],
  );
  expect(told.map(({ instruction }) => instruction)).toContainEqual(
    expect.objectContaining({ kind: "pipe", generation: before, wanted: "closed" }),
  );
});

test("a lost transport interrupts a broadcast; sent again, it goes on with its viewers in their seats", async () => {
  const before = await generation();
  await loseTransport();
  expect(ownerTold().at(-1)).toMatchObject({ type: "broadcast.moved", oldRunsMs: 0 });
  expect(roomTold()).toContain("broadcast.interrupted");
  const { transportId } = await resume();
  expect(transportId).not.toBe(owner.transportId);
  expect(roomTold().at(-1)).toBe("broadcast.resumed");
  expect(viewerTold().at(-1)).toMatchObject({ type: "view.renewed", viewId });
  expect(await generation()).toBeGreaterThan(before);
  await sync();
  expect(closings()).toEqual([]);
  await zone.advance(10_000);
  // Only the old generation is closed, on both hosts.
  expect(closings().map((one) => "generation" in one && one.generation)).toEqual([
    before,
    before,
  ]);
  expect(await zone.count("SELECT count(*) FROM \"view\" WHERE state = 'active'")).toBe(
    1,
  );
});

test("an interrupted broadcast that nobody sends again ends after its time", async () => {
  await loseTransport();
  await zone.advance(29_999);
  expect(await broadcasts()).toBe(1);
  await zone.advance(1);
  expect(await broadcasts()).toBe(0);
  expect(roomTold().at(-1)).toBe("broadcast.stopped");
  expect(await zone.count("SELECT sum(points_used) FROM worker")).toBe(0);
});

test("asking twice for the transport, or losing the old one late, changes nothing", async () => {
  await loseTransport();
  const first = await zone.get("resumeBroadcast", own());
  await loseTransport();
  const second = await zone.get("resumeBroadcast", own());
  expect(second.transportId).toBe(first.transportId);
  await resume();
  await resumeAgainIsNoHarm(first.transportId);
  await loseTransport();
  expect(roomTold().filter((type) => type === "broadcast.interrupted")).toHaveLength(1);
});

async function resumeAgainIsNoHarm(transportId: string): Promise<void> {
  const told = zone.told(roomId).length;
  await zone.get("resumeTrack", { ...own(), trackId: owner.trackId, transportId });
  expect(zone.told(roomId)).toHaveLength(told);
}

test("tracks that do not come in time are gone, and the rest goes on", async () => {
  const extra = { ...trackOf("camera"), kind: "audio" as const };
  await zone.get("addTrack", { ...own(), ...extra });
  await loseTransport();
  await resume();
  expect(roomTold()).not.toContain("broadcast.resumed");
  await zone.advance(30_000);
  expect(roomTold().slice(-2)).toEqual(["track.removed", "broadcast.resumed"]);
  await sync();
  expect(await zone.count("SELECT count(*) FROM track")).toBe(1);
});

test("a producer worker's death keeps its broadcasts, on its next life", async () => {
  await die(zone, producers, 0);
  const { worker } = await resume();
  expect(worker.incarnation).toBe("another");
  expect(viewerTold().at(-1)).toMatchObject({ type: "view.renewed", viewId });
  await sync();
});

test("a host that is gone leaves its broadcasts to another, and its points nowhere", async () => {
  const other = await register(zone, { name: "q", workers: ["producer"] });
  await silent(zone, producers, "gone");
  const { worker } = await resume();
  expect(worker.workerId).toBe(other.workers[0]?.workerId);
  await sync();
  const used = "SELECT broadcasts_used + legs_used FROM worker WHERE id = ?";
  expect(await zone.count(used, producers.workers[0]?.workerId ?? "")).toBe(0);
  expect(await zone.count(used, worker.workerId)).toBe(3);
});

test("with no producer worker left, resuming is refused until there is one again", async () => {
  await silent(zone, producers, "gone");
  const refusal = await zone.refused("resumeBroadcast", own());
  expect(refusal).toMatchObject({ refusal: "no-producer-capacity", retryAfter: 2 });
  await register(zone, { name: "q", workers: ["producer"] });
  await resume();
  expect(roomTold().at(-1)).toBe("broadcast.resumed");
  await sync();
});

test("a viewer who does not follow a resumed broadcast gets another seat in the end", async () => {
  await loseTransport();
  await resume();
  await zone.advance(10_000);
  expect(viewerTold().at(-1)).toMatchObject({ type: "view.moved", viewId });
});

test("nobody else can resume a broadcast, nor a track of another one", async () => {
  await loseTransport();
  const stranger = { ...own(), sessionId: viewer };
  expect(await zone.refused("resumeBroadcast", stranger)).toEqual({
    refusal: "not-found",
  });
  const { transportId } = await zone.get("resumeBroadcast", own());
  const track = { ...own(), trackId: "track_test_none", transportId };
  expect(await zone.refused("resumeTrack", track)).toEqual({ refusal: "not-found" });
  const elsewhere = { ...own(), trackId: owner.trackId, transportId: owner.transportId };
  expect(await zone.refused("resumeTrack", elsewhere)).toMatchObject({
    refusal: "media-failed",
  });
});

test("an interruption outlives the broker", async () => {
  await loseTransport();
  zone.evict();
  await zone.get("readRoom", { roomId });
  await resume();
  await sync();
  zone.evict();
  await zone.get("readRoom", { roomId });
  await zone.advance(10_000);
  expect(closings()).toHaveLength(2);
});

test("a broadcast without a place whose last track ends does not come alive on a lost host", async () => {
  await silent(zone, producers, "gone");
  await zone.get("changeTrack", { ...own(), trackId: owner.trackId, wanted: "closed" });
  expect(await zone.count("SELECT count(*) FROM broadcast WHERE state = 'live'")).toBe(0);
  await zone.advance(30_000);
  expect(await broadcasts()).toBe(0);
});
