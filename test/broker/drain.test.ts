import { afterEach, beforeEach, expect, test } from "vitest";
import { startZone, type Zone } from "#test/harness/zone.ts";
import {
  broadcaster,
  die,
  type Host,
  join,
  openRoom,
  register,
  trackOf,
  watch,
  watchActive,
} from "./people.ts";
import { expectInOrder, type Stage, setStage } from "./stage.ts";

/* A node that drains is emptied with both seats of every view held, and by a deadline. */

let zone: Zone;
let host: Host;
let roomId: string;
let owner: Stage["owner"];
let viewers: string[];

beforeEach(async () => {
  ({ zone, host, roomId, owner } = await setStage(2));
  viewers = await Promise.all([1, 2, 3].map(() => join(zone, roomId)));
  for (const sessionId of viewers) await watchActive(zone, roomId, sessionId);
});

afterEach(() => expectInOrder(zone));

const views = () => zone.count('SELECT count(*) FROM "view"');
const viewsOn = ({ name }: Host) =>
  zone.count('SELECT count(*) FROM "view" WHERE worker_id LIKE ?', `%_${name}_%`);
const moves = () => zone.count("SELECT count(*) FROM move");
const drain = (one = host) => zone.get("drainNode", { nodeId: one.nodeId });
const toldTo = (sessionId: string) =>
  zone.toldTo(roomId, sessionId).map(({ event }) => event);
const lastMove = (sessionId: string) => {
  const event = toldTo(sessionId).findLast(({ type }) => type === "view.moved");
  if (event?.type !== "view.moved") throw new Error("It was not moved.");
  return event;
};

/** Watches the new seat until its media is there, then gives up the old one. */
async function follow(sessionId: string): Promise<void> {
  await watchActive(zone, roomId, sessionId);
  const { viewId } = lastMove(sessionId);
  await zone.get("releaseViews", { roomId, sessionId, viewIds: [viewId] });
}

async function claims({ nodeId, epoch, workers }: Host): Promise<number> {
  const reported = workers.map((worker) => ({ ...worker, cpuPercent: 0 }));
  const heard = { nodeId, epoch, draining: true, egressKbps: 0, workers: reported };
  return (await zone.get("nodeHeard", heard)).claims;
}

test("a draining node's views hold both seats until the new one is used, then only that", async () => {
  const other = await register(zone, { name: "d", workers: ["consumer"] });
  await drain();
  await zone.advance(0);
  expect([await views(), await viewsOn(host), await moves()]).toEqual([6, 3, 3]);
  for (const sessionId of viewers) {
    const { toViewId, oldRunsMs } = lastMove(sessionId);
    expect(oldRunsMs).toBe(10_000);
    const [view] = await watch(zone, roomId, sessionId);
    expect(view?.viewId).toBe(toViewId);
    await follow(sessionId);
  }
  expect([await views(), await viewsOn(other), await moves()]).toEqual([3, 3, 0]);
  expect(await claims(host)).toBe(0);
});

test("an agent's own draining does the same, and a viewer who says nothing is moved by time", async () => {
  await register(zone, { name: "d", workers: ["consumer"] });
  expect(await claims(host)).toBe(3);
  await zone.advance(0);
  expect(await moves()).toBe(3);
  for (const sessionId of viewers) await watchActive(zone, roomId, sessionId);
  await zone.advance(10_000);
  expect([await views(), await moves(), await claims(host)]).toEqual([3, 0, 0]);
});

test("nothing is overshot while both seats are held: who finds no second one stays for now", async () => {
  // One point of six seats, five of which are taken by others.
  const small = { name: "d", workers: ["consumer" as const], points: 1 };
  const other = await register(zone, small);
  const second = await openRoom(zone);
  await broadcaster(zone, second);
  await zone.get("cordonNode", { nodeId: host.nodeId, cordoned: true });
  const filler = await join(zone, second);
  await watchActive(zone, second, filler);
  await drain();
  await zone.advance(1000);
  expect([await viewsOn(host), await viewsOn(other), await moves()]).toEqual([3, 1, 0]);
  await zone.get("leaveRoom", { roomId: second, sessionId: filler });
  await zone.advance(6000);
  expect([await viewsOn(host), await viewsOn(other), await moves()]).toEqual([3, 3, 3]);
});

test("a move whose new seat never connects is aborted, and tried again elsewhere", async () => {
  const d = await register(zone, { name: "d", workers: ["consumer"] });
  const e = await register(zone, { name: "e", workers: ["consumer"] });
  await zone.get("drainNode", { nodeId: host.nodeId, withinMs: 60_000 });
  await zone.advance(0);
  const [sessionId = ""] = viewers;
  const { viewId, toViewId } = lastMove(sessionId);
  const first = (await viewsOn(d)) > 0 ? d : e;
  await zone.advance(11_000);
  const again = lastMove(sessionId);
  expect(again.viewId).toBe(viewId);
  expect(again.toViewId).not.toBe(toViewId);
  expect(await viewsOn(first)).toBe(0);
  for (const one of viewers) await follow(one);
  expect(await viewsOn(first === d ? e : d)).toBe(3);
});

test("the new seat's worker dying leaves the view in its old seat; the old one's, in the new", async () => {
  const other = await register(zone, { name: "d", workers: ["consumer"] });
  await drain();
  await zone.advance(0);
  await die(zone, other, 0);
  expect([await viewsOn(host), await viewsOn(other), await moves()]).toEqual([3, 0, 0]);
  await zone.advance(1000);
  expect(await moves()).toBe(3);
  await die(zone, host, 0);
  expect([await viewsOn(host), await viewsOn(other), await moves()]).toEqual([0, 3, 0]);
});

test("a drain ends by its deadline: what is left gets other seats, or waits for them", async () => {
  await drain();
  await zone.advance(24_000);
  expect(await viewsOn(host)).toBe(3);
  await zone.advance(2000);
  expect([await views(), await zone.count("SELECT count(*) FROM waiting")]).toEqual([
    0, 3,
  ]);
  expect(toldTo(viewers[0] ?? "").at(-1)).toMatchObject({
    type: "view.lost",
    code: "no-consumer-capacity",
  });
  expect(await claims(host)).toBe(0);
  await zone.get("nodeHeard", {
    ...host,
    draining: false,
    egressKbps: 0,
    workers: [],
  });
  expect(await views()).toBe(0);
  await zone.get("cordonNode", { nodeId: host.nodeId, cordoned: false });
  await zone.advance(0);
  expect(await viewsOn(host)).toBe(3);
});

test("stopping to watch gives up both seats of a move; leaving does too", async () => {
  await register(zone, { name: "d", workers: ["consumer"] });
  await drain();
  await zone.advance(0);
  const [stops = "", leaves = ""] = viewers;
  const viewIds = [lastMove(stops).toViewId];
  await zone.get("releaseViews", { roomId, sessionId: stops, viewIds });
  await zone.get("leaveRoom", { roomId, sessionId: leaves });
  expect([await views(), await moves()]).toEqual([2, 1]);
});

test("a draining producer's broadcast holds two places until its tracks are at the second", async () => {
  const producer = { name: "p", nodeId: "node_test_p" } as Host;
  const next = await register(zone, { name: "q", workers: ["producer"] });
  await drain(producer);
  await zone.advance(0);
  const own = { roomId, sessionId: owner.sessionId, broadcastId: owner.broadcastId };
  expect(toldTo(owner.sessionId).at(-1)).toMatchObject({
    type: "broadcast.moved",
    oldRunsMs: 15_000,
  });
  const used = () => zone.count("SELECT sum(broadcasts_used) FROM worker");
  const legs = () => zone.count("SELECT sum(legs_used) FROM worker");
  expect([await used(), await legs()]).toEqual([2, 2]);
  const { worker, transportId } = await zone.get("resumeBroadcast", own);
  expect(worker.workerId).toBe(next.workers[0]?.workerId);
  await zone.get("resumeTrack", { ...own, trackId: owner.trackId, transportId });
  // Both generations run, and both are charged.
  expect([await used(), await legs()]).toEqual([2, 4]);
  for (const sessionId of viewers) {
    expect(toldTo(sessionId).at(-1)).toMatchObject({
      type: "view.renewed",
      oldRunsMs: 10_000,
    });
    const { views: located } = await zone.get("locateViews", {
      roomId,
      sessionId,
      viewIds: (await watch(zone, roomId, sessionId)).map(({ viewId }) => viewId),
    });
    const pipes = located.map(({ broadcastId, consumer, generation }) => ({
      broadcastId,
      workerId: consumer.workerId,
      generation,
    }));
    await zone.get("openPipes", { pipes });
  }
  await zone.advance(10_000);
  expect([await used(), await legs()]).toEqual([1, 2]);
  expect(zone.told(roomId).map(({ event }) => event.type)).not.toContain(
    "broadcast.interrupted",
  );
  const instructions = zone.committed
    .flatMap(({ instructions: told }) => told.get(producer.nodeId) ?? [])
    .map(({ instruction }) => instruction);
  expect(instructions).toContainEqual({
    kind: "close-transport",
    transportId: owner.transportId,
    sessionId: owner.sessionId,
  });
});

test("a broadcast whose next place is lost with one of its tracks there goes on whole at the old one", async () => {
  const own = { roomId, sessionId: owner.sessionId, broadcastId: owner.broadcastId };
  const next = await register(zone, { name: "q", workers: ["producer"] });
  await zone.get("addTrack", { ...own, ...trackOf("camera"), kind: "audio" });
  await drain({ name: "p", nodeId: "node_test_p" } as Host);
  await zone.advance(0);
  const { transportId } = await zone.get("resumeBroadcast", own);
  await zone.get("resumeTrack", { ...own, trackId: owner.trackId, transportId });
  await die(zone, next, 0);
  const elsewhere = "SELECT count(*) FROM track WHERE transport_id <> ?";
  expect(await zone.count(elsewhere, owner.transportId)).toBe(0);
  expect(await zone.count("SELECT count(*) FROM track")).toBe(2);
  // It is asked to move again, by the drain that goes on.
  await zone.advance(30_000);
  expect(toldTo(owner.sessionId).at(-1)).toMatchObject({ type: "broadcast.moved" });
});

test("a broadcaster who does not move keeps its old place, and is asked again", async () => {
  await register(zone, { name: "q", workers: ["producer"] });
  await zone.get("drainNode", { nodeId: "node_test_p", withinMs: 60_000 });
  await zone.advance(0);
  const asked = () =>
    toldTo(owner.sessionId).filter(({ type }) => type === "broadcast.moved").length;
  expect(asked()).toBe(1);
  await zone.advance(16_000);
  expect(asked()).toBe(2);
  expect(await zone.count("SELECT count(*) FROM broadcast")).toBe(1);
});

test("a broadcast that has nowhere to go by the deadline stays, and is not looked for each second", async () => {
  await zone.get("drainNode", { nodeId: "node_test_p", withinMs: 1000 });
  await zone.advance(2000);
  const commits = zone.committed.length;
  await zone.advance(29_000);
  expect(zone.committed.length - commits).toBeLessThan(2);
  expect(await zone.count("SELECT count(*) FROM broadcast")).toBe(1);
  await register(zone, { name: "q", workers: ["producer"] });
  await zone.advance(30_000);
  expect(toldTo(owner.sessionId).at(-1)).toMatchObject({ type: "broadcast.moved" });
});

test("a refused view has a point made free for it by moving a few others together", async () => {
  const seats = { seatsPerPoint: { camera: 6 } };
  zone = await startZone({ settings: { weight: seats } });
  await register(zone, { name: "p", workers: ["producer", "producer"] });
  const a = await register(zone, { name: "a", workers: ["consumer"], points: 1 });
  roomId = await openRoom(zone);
  await broadcaster(zone, roomId);
  const two = await Promise.all([1, 2].map(() => join(zone, roomId)));
  await watchActive(zone, roomId, two[0] ?? "");
  await zone.get("cordonNode", { nodeId: a.nodeId, cordoned: true });
  await register(zone, { name: "b", workers: ["consumer"], points: 1 });
  await watchActive(zone, roomId, two[1] ?? "");
  await zone.get("cordonNode", { nodeId: a.nodeId, cordoned: false });
  // Two half-empty points are all there is, and another room wants one.
  const second = await openRoom(zone);
  await broadcaster(zone, second);
  const late = await join(zone, second);
  const wanted = { roomId: second, sessionId: late, broadcasts: "all" as const };
  const { refused } = await zone.get("claimViews", wanted);
  expect(refused).toMatchObject([{ code: "no-consumer-capacity" }]);
  await zone.advance(0);
  expect(await moves()).toBe(1);
  const mover = two.find((id) => toldTo(id).some(({ type }) => type === "view.moved"));
  await follow(mover ?? "");
  await zone.advance(0);
  const granted = zone.toldTo(second, late).map(({ event }) => event.type);
  expect(granted).toEqual(["view.granted"]);
});
