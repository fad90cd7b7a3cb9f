import { afterEach, beforeEach, expect, test } from "vitest";
import { alarmFor } from "#control/objects/alarm.ts";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { broadcaster, enter, join, openRoom, register, watch } from "./people.ts";

let zone: Zone;

beforeEach(async () => {
  zone = await startZone({ settings: { broker: { groupMax: 2 } } });
  await register(zone);
});

afterEach(async () => {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
});

const sessions = () => zone.count("SELECT count(*) FROM session");

test("a session that never opens its channel ends after 30 s", async () => {
  const roomId = await openRoom(zone);
  await enter(zone, roomId);
  await zone.advance(29_999);
  expect(await sessions()).toBe(1);
  await zone.advance(1);
  expect(await sessions()).toBe(0);
});

test("a session whose channel is gone ends after 10 s, and one that came back stays", async () => {
  const roomId = await openRoom(zone);
  const gone = await join(zone, roomId);
  const back = await join(zone, roomId);
  for (const sessionId of [gone, back]) {
    await zone.get("detachSession", { roomId, sessionId });
  }
  await zone.advance(9999);
  expect(await sessions()).toBe(2);
  await zone.get("attachSession", { roomId, sessionId: back });
  await zone.advance(60_000);
  const { sessions: left } = await zone.get("listSessions", { roomId });
  expect(left.map(({ id }) => id)).toEqual([back]);
});

test("a session's end by time gives back all that it held", async () => {
  const roomId = await openRoom(zone);
  await broadcaster(zone, roomId);
  const { sessionId } = await broadcaster(zone, roomId);
  await watch(zone, roomId, sessionId);
  await zone.get("detachSession", { roomId, sessionId });
  await zone.advance(20_000);
  expect(await sessions()).toBe(1);
  expect(await zone.count("SELECT sum(points_used) FROM worker")).toBe(0);
  expect(await zone.count("SELECT sum(broadcasts_used) FROM worker")).toBe(1);
  expect(await zone.count("SELECT sum(egress_used_kbps) FROM node")).toBe(0);
});

test("more deadlines than one commit takes are served by the next ones", async () => {
  const rooms = await Promise.all([1, 2, 3, 4, 5].map(() => openRoom(zone)));
  await Promise.all(rooms.map((roomId) => enter(zone, roomId)));
  await zone.advance(30_000);
  expect(await sessions()).toBe(0);
  expect(await zone.count("SELECT count(*) FROM deadline")).toBe(0);
});

test("a deadline whose room is not in memory is served later, never dropped", async () => {
  const first = await openRoom(zone);
  const second = await openRoom(zone);
  const leaves = await enter(zone, first);
  await zone.advance(1);
  await enter(zone, second);
  zone.evict();
  await zone.get("readFleet", {});
  zone.nowMs += 30_000;
  // The leaving clears the earlier deadline, so the alarm comes to the later one.
  const left = zone.ask("leaveRoom", { roomId: first, sessionId: leaves });
  await Promise.all([left, zone.broker.tick()]);
  await zone.advance(1);
  expect(await sessions()).toBe(0);
});

test("an alarm that never rang is asked for again by whatever comes next", async () => {
  const roomId = await openRoom(zone);
  await enter(zone, roomId);
  zone.passUnheard(31_000);
  await zone.get("listSessions", { roomId });
  expect(zone.deadlineMs).toBeLessThanOrEqual(zone.nowMs);
  await zone.advance(0);
  expect(await sessions()).toBe(0);
});

test("an alarm is set to what comes, sooner where it has to be, and anew where it is late", () => {
  const nowMs = 1_800_000_000_000;
  const at = (setMs: number | null, dueMs: number) => {
    const alarmMs = alarmFor(setMs === null ? null : nowMs + setMs, nowMs + dueMs, nowMs);
    return alarmMs === undefined ? undefined : alarmMs - nowMs;
  };
  expect(at(null, 500)).toBe(500);
  expect(at(400, 500)).toBeUndefined();
  expect(at(600, 500)).toBe(500);
  expect([at(null, 0), at(null, -3000)]).toEqual([1, 1]);
  expect([at(-1000, 500), at(-3000, 500)]).toEqual([undefined, 500]);
});

test("an outage at the very moment of a deadline puts it off, not away", async () => {
  const roomId = await openRoom(zone);
  await enter(zone, roomId);
  zone.evict();
  await zone.server.stop();
  await zone.advance(40_000);
  await zone.server.resume();
  expect(await sessions()).toBe(1);
  await zone.advance(60_000);
  expect(await sessions()).toBe(0);
});
