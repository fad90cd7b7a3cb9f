import { expect, test } from "vitest";
import { startZone } from "#test/harness/zone.ts";
import {
  accountId,
  broadcaster,
  enter,
  join,
  openRoom,
  register,
  silent,
  trackOf,
  watch,
} from "./people.ts";
import { checkReplay, replay } from "./replay.ts";

test("a room's events, played from the first, give the counters of its row", async () => {
  const zone = await startZone();
  const host = await register(zone, { workers: ["producer", "producer", "consumer"] });
  const roomId = await openRoom(zone, 2);
  const otherRoomId = await openRoom(zone, 2);
  const first = await broadcaster(zone, roomId);
  const second = await broadcaster(zone, roomId);
  const third = await broadcaster(zone, otherRoomId);
  const elsewhere = { roomId: otherRoomId, sessionId: third.sessionId };
  await zone.get("showBroadcast", {
    ...elsewhere,
    broadcastId: third.broadcastId,
    otherRoomId: roomId,
  });
  const viewer = await join(zone, roomId);
  await watch(zone, roomId, viewer);
  await enter(zone, roomId);
  const own = { roomId, sessionId: first.sessionId, broadcastId: first.broadcastId };
  await zone.get("changeTrack", { ...own, trackId: first.trackId, wanted: "paused" });
  await zone.get("addTrack", { ...own, ...trackOf("camera") });
  zone.evict();
  // The one who never came with a channel is put out; one broadcaster leaves.
  await zone.advance(60_000);
  await zone.get("leaveRoom", { roomId, sessionId: second.sessionId });
  const row = await zone.eye.execute({
    sql: "SELECT sessions_present, broadcasts_live FROM room WHERE id = ?",
    args: [roomId],
  });
  const played = replay(zone.told(roomId).map(({ event }) => event));
  const cameras = [...played.broadcasts.values()].filter(
    ({ media }) => media === "camera",
  );
  expect(played.sessions.size).toBe(row.rows[0]?.sessions_present);
  expect(cameras.length).toBe(row.rows[0]?.broadcasts_live);
  expect([played.sessions.size, cameras.length]).toEqual([2, 2]);
  expect(await checkReplay(zone.eye)).toEqual([]);
  await silent(zone, host, "gone");
  await zone.get("closeRoom", { roomId, accountId });
  expect(await checkReplay(zone.eye)).toEqual([]);
});

test("a broadcast whose last track ends is off the air, and its seats are free", async () => {
  const zone = await startZone();
  await register(zone);
  const roomId = await openRoom(zone);
  const { sessionId, broadcastId, trackId } = await broadcaster(zone, roomId);
  await watch(zone, roomId, await join(zone, roomId));
  const own = { roomId, sessionId, broadcastId };
  await zone.get("changeTrack", { ...own, trackId, wanted: "closed" });
  const [last] = zone.told(roomId).slice(-1);
  expect(last?.event).toEqual({ type: "broadcast.stopped", broadcastId });
  expect(await zone.count('SELECT count(*) FROM "view"')).toBe(0);
  await zone.get("addTrack", { ...own, ...trackOf("camera") });
  expect(await watch(zone, roomId, await join(zone, roomId))).toHaveLength(1);
  expect(await checkReplay(zone.eye)).toEqual([]);
});
