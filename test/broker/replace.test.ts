import { afterEach, beforeEach, expect, test } from "vitest";
import type { OwnEvent } from "#schema/events.ts";
import { startZone, type Zone } from "#test/harness/zone.ts";
import {
  accountId,
  broadcaster,
  join,
  openRoom,
  register,
  silent,
  watch,
  watchActive,
} from "./people.ts";
import { expectInOrder } from "./stage.ts";

/* Views whose host or worker ended get other seats, as far as there are any. */

let zone: Zone;

beforeEach(async () => {
  zone = await startZone();
});

afterEach(() => expectInOrder(zone));

const views = () => zone.count('SELECT count(*) FROM "view"');
const waiting = () => zone.count("SELECT count(*) FROM waiting");
const commits = () => zone.traffic.filter((traffic) => traffic === "commit").length;

function told(roomId: string, sessionId: string): OwnEvent[] {
  return zone.toldTo(roomId, sessionId).map(({ event }) => event);
}

/** What a session was told last, without what says that media is there. */
function lastTold(roomId: string, sessionId: string): OwnEvent | undefined {
  return told(roomId, sessionId).findLast(({ type }) => type !== "view.ready");
}

test("a host of 16 workers that vanishes with 200 viewers is re-placed in two commits, nobody twice", async () => {
  await register(zone, { name: "p", workers: Array(5).fill("producer") });
  const lost = await register(zone, { name: "c", workers: Array(16).fill("consumer") });
  const viewers: { roomId: string; sessionId: string }[] = [];
  for (let at = 0; at < 5; at += 1) {
    const roomId = await openRoom(zone, 5);
    for (let live = 0; live < 4; live += 1) await broadcaster(zone, roomId);
    for (let viewer = 0; viewer < 10; viewer += 1) {
      const sessionId = await join(zone, roomId);
      await watchActive(zone, roomId, sessionId);
      viewers.push({ roomId, sessionId });
    }
  }
  expect(await views()).toBe(200);
  await register(zone, { name: "d", workers: Array(16).fill("consumer") });
  const before = commits();
  await silent(zone, lost, "gone");
  await zone.advance(0);
  expect(commits() - before).toBe(2);
  expect(await views()).toBe(200);
  expect(
    await zone.count("SELECT count(*) FROM \"view\" WHERE worker_id LIKE '%_c_%'"),
  ).toBe(0);
  const sql = "SELECT sum(points_used) FROM worker WHERE node_id = ?";
  expect(await zone.count(sql, lost.nodeId)).toBe(0);
  for (const { roomId, sessionId } of viewers) {
    const moved = told(roomId, sessionId).filter(({ type }) => type === "view.moved");
    expect(moved).toHaveLength(4);
    // Watching again brings the very seats that were told of.
    const now = await watch(zone, roomId, sessionId);
    const toViewIds = moved.map((event) => (event as { toViewId: string }).toViewId);
    expect(now.map(({ viewId }) => viewId).sort()).toEqual(toViewIds.sort());
  }
});

/** Three rooms of six viewers each, on one host of three points. */
async function threeFullRooms() {
  await register(zone, { name: "p", workers: Array(3).fill("producer") });
  const host = await register(zone, { name: "c", workers: ["consumer"], points: 3 });
  const rooms: { roomId: string; viewers: string[] }[] = [];
  const free = await openRoom(zone, 1);
  const higher = await openRoom(zone, 2);
  const made = { accountId, tier: 1, reserve: false };
  const third = (await zone.get("createRoom", made)).id;
  for (const roomId of [free, higher, third]) {
    await broadcaster(zone, roomId);
    rooms.push({ roomId, viewers: [] });
  }
  for (let at = 0; at < 6; at += 1) {
    for (const { roomId, viewers } of rooms) {
      zone.nowMs += 10;
      const sessionId = await join(zone, roomId);
      await watchActive(zone, roomId, sessionId);
      viewers.push(sessionId);
    }
  }
  return { host, free: rooms[0], higher: rooms[1], third: rooms[2] };
}

type Full = Awaited<ReturnType<typeof threeFullRooms>>;
const who = (room: Full["free"]) => room?.viewers ?? [];

test("higher tiers and those present longest are re-placed first; the others wait and say so", async () => {
  const { host, free, higher, third } = await threeFullRooms();
  await register(zone, { name: "d", workers: ["consumer"], points: 2 });
  await silent(zone, host, "gone");
  await zone.advance(0);
  expect([await views(), await waiting()]).toEqual([12, 6]);
  for (const sessionId of who(higher)) {
    expect(lastTold(higher?.roomId ?? "", sessionId)?.type).toBe("view.moved");
  }
  // Of the two rooms of one tier the first viewer of all was in the first.
  for (const sessionId of who(free)) {
    expect(lastTold(free?.roomId ?? "", sessionId)?.type).toBe("view.moved");
  }
  for (const sessionId of who(third)) {
    expect(lastTold(third?.roomId ?? "", sessionId)).toMatchObject({
      type: "view.lost",
      code: "no-consumer-capacity",
    });
  }
});

test("who waits is granted a seat when there is room, in order, though the broker was evicted", async () => {
  const { host, free, higher, third } = await threeFullRooms();
  await silent(zone, host, "gone");
  await zone.advance(0);
  expect([await views(), await waiting()]).toEqual([0, 18]);
  zone.evict();
  await zone.get("readFleet", {});
  await register(zone, { name: "d", workers: ["consumer"], points: 1 });
  await zone.advance(0);
  expect([await views(), await waiting()]).toEqual([6, 12]);
  for (const sessionId of who(higher)) {
    const event = lastTold(higher?.roomId ?? "", sessionId);
    expect(event?.type).toBe("view.granted");
    const [view] = await watchActive(zone, higher?.roomId ?? "", sessionId);
    expect(view?.viewId).toBe(event && "viewId" in event ? event.viewId : "");
  }
  // One who leaves gives nothing to other rooms; the last one gives them the point.
  const [first = "", ...rest] = who(higher);
  const leave = (sessionId: string) =>
    zone.get("leaveRoom", { roomId: higher?.roomId ?? "", sessionId });
  await leave(first);
  await zone.advance(0);
  expect([await views(), await waiting()]).toEqual([5, 12]);
  for (const sessionId of rest) await leave(sessionId);
  await zone.advance(0);
  expect([await views(), await waiting()]).toEqual([6, 6]);
  const inFree = who(free).map((id) => lastTold(free?.roomId ?? "", id)?.type);
  expect(new Set(inFree)).toEqual(new Set(["view.granted"]));
  const inThird = who(third).map((id) => lastTold(third?.roomId ?? "", id)?.type);
  expect(new Set(inThird)).toEqual(new Set(["view.lost"]));
});

test("who waits is forgotten with the wish: by leaving, by the broadcast's end, by stopping the lost view", async () => {
  const { host, free, higher, third } = await threeFullRooms();
  await silent(zone, host, "gone");
  await zone.advance(0);
  expect(await waiting()).toBe(18);
  const roomId = free?.roomId ?? "";
  const [leaves = "", stops = ""] = who(free);
  await zone.get("leaveRoom", { roomId, sessionId: leaves });
  expect(await waiting()).toBe(17);
  const lost = lastTold(roomId, stops);
  const viewIds = [lost && "viewId" in lost ? lost.viewId : ""];
  await zone.get("releaseViews", { roomId, sessionId: stops, viewIds });
  expect(await waiting()).toBe(16);
  await zone.get("closeRoom", { roomId: higher?.roomId ?? "", accountId });
  expect(await waiting()).toBe(10);
  const sql = "SELECT id, session_id FROM broadcast WHERE home_room_id = ?";
  const { rows } = await zone.eye.execute({ sql, args: [third?.roomId ?? ""] });
  await zone.get("stopBroadcast", {
    roomId: third?.roomId ?? "",
    sessionId: String(rows[0]?.session_id),
    broadcastId: String(rows[0]?.id),
  });
  expect(await waiting()).toBe(4);
});

test("who waits and watches again by itself has one seat, and waits no more", async () => {
  await register(zone, { name: "p", workers: ["producer"] });
  const host = await register(zone, { name: "c", workers: ["consumer"] });
  const roomId = await openRoom(zone);
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  await watchActive(zone, roomId, sessionId);
  const { nodeId } = await register(zone, { name: "d", workers: ["consumer"] });
  await zone.get("cordonNode", { nodeId, cordoned: true });
  await silent(zone, host, "gone");
  await zone.advance(0);
  expect(await waiting()).toBe(1);
  await Promise.all([
    zone.get("cordonNode", { nodeId, cordoned: false }),
    watch(zone, roomId, sessionId),
  ]);
  await zone.advance(0);
  expect([await views(), await waiting()]).toEqual([1, 0]);
});
