import { afterEach, beforeEach, expect, test } from "vitest";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { broadcaster, entry, join, openRoom, register, watch } from "./people.ts";

/* How far a fleet fills, with everybody asking at the same time. */

let zone: Zone;

beforeEach(async () => {
  zone = await startZone();
});

afterEach(async () => {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
});

const all = <T>(count: number, make: (at: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, at) => make(at)));

async function claimAll(rooms: string[], sessions: string[]) {
  const answers = await all(sessions.length, (at) =>
    zone.get("claimViews", {
      roomId: rooms[at] ?? "",
      sessionId: sessions[at] ?? "",
      broadcasts: "all",
    }),
  );
  return {
    views: answers.flatMap((answer) => answer.views),
    refused: answers.flatMap((answer) => answer.refused),
  };
}

test("a worker of 12 points takes 72 camera views at once, and refuses the 73rd", async () => {
  await register(zone, { workers: ["producer", "consumer"] });
  const roomId = await openRoom(zone, 4);
  const owners = await all(12, () => broadcaster(zone, roomId));
  const viewers = await all(6, () => join(zone, roomId));
  const { views } = await claimAll(Array(6).fill(roomId), viewers);
  expect(views).toHaveLength(72);
  expect(await zone.count("SELECT sum(points_used) FROM worker")).toBe(12);
  const late = await claimAll([roomId], [await join(zone, roomId)]);
  expect(late.views).toEqual([]);
  expect(new Set(late.refused.map(({ code }) => code))).toEqual(
    new Set(["no-consumer-capacity"]),
  );
  // One seat given back is one seat to give.
  const [first] = views;
  const release = { roomId, sessionId: viewers[0] ?? "", viewIds: [first?.viewId ?? ""] };
  await zone.get("releaseViews", release);
  const again = await claimAll([roomId], [owners[0]?.sessionId ?? ""]);
  expect(again.views.length + again.refused.length).toBe(11);
  expect(again.views.length).toBeLessThanOrEqual(1);
});

test("a room's placement says what leaving viewers left behind in half-empty slots", async () => {
  await register(zone, { workers: ["producer", "consumer", "consumer"], points: 1 });
  const roomId = await openRoom(zone, 2);
  await broadcaster(zone, roomId);
  const viewers = await all(7, () => join(zone, roomId));
  const { views } = await claimAll(Array(7).fill(roomId), viewers);
  expect(views).toHaveLength(7);
  const placement = () => zone.get("readPlacement", { roomId });
  expect(await placement()).toMatchObject({ points: 2, wastedPoints: 0 });
  const { slots } = await placement();
  const full = slots.find(({ freeSeats }) => freeSeats === 0)?.workerId;
  const leaving = views.filter(({ consumer }) => consumer.workerId === full).slice(0, 3);
  for (const sessionId of viewers) {
    const viewIds = leaving.map(({ viewId }) => viewId);
    await zone.get("releaseViews", { roomId, sessionId, viewIds });
  }
  // Four viewers in two slots: one point would do.
  expect(await placement()).toMatchObject({ points: 2, wastedPoints: 1 });
});

test("a full room of tier 1 fits on one consumer core, everyone asking at once", async () => {
  await register(zone, { workers: ["producer", "consumer"] });
  const roomId = await openRoom(zone, 1);
  const owners = await all(6, () => broadcaster(zone, roomId));
  const viewers = await all(6, () => join(zone, roomId));
  const everyone = [...owners.map(({ sessionId }) => sessionId), ...viewers];
  const { views, refused } = await claimAll(Array(12).fill(roomId), everyone);
  expect(refused).toEqual([]);
  // 6 broadcasts to 11 others each; the tier's 132 consumers are two a view.
  expect(views).toHaveLength(66);
  expect(await zone.count("SELECT sum(points_used) FROM worker")).toBe(12);
});

test("a room lets in as many as its tier says, however many come at once", async () => {
  const roomId = await openRoom(zone, 0);
  const answers = await all(40, () => zone.ask("enterRoom", entry(roomId)));
  expect(answers.filter(({ ok }) => ok)).toHaveLength(12);
  expect(await zone.count("SELECT sessions_present FROM room")).toBe(12);
});

test("a room has as many broadcasts as its tier says, however many start at once", async () => {
  await register(zone, { workers: ["producer"] });
  const roomId = await openRoom(zone, 1);
  const people = await all(12, () => join(zone, roomId));
  const answers = await Promise.all(
    people.map((sessionId) =>
      zone.ask("claimBroadcast", { roomId, sessionId, media: "camera" }),
    ),
  );
  expect(answers.filter(({ ok }) => ok)).toHaveLength(6);
  const [refused] = answers.flatMap((one) => (one.ok ? [] : [one.refusal.refusal]));
  expect(refused).toBe("tier-broadcasts-exceeded");
});

test("a node's bandwidth is granted to the last kbit/s and no further", async () => {
  const { view } = zone.settings.nominalKbps.camera;
  await register(zone, { name: "p", workers: ["producer"] });
  await register(zone, {
    name: "c",
    workers: ["consumer", "consumer"],
    egressKbps: 3 * view + view - 1,
  });
  const roomId = await openRoom(zone, 1);
  await broadcaster(zone, roomId);
  const viewers = await all(6, () => join(zone, roomId));
  const { views, refused } = await claimAll(Array(6).fill(roomId), viewers);
  expect(views).toHaveLength(3);
  expect(refused.map(({ code }) => code)).toEqual(Array(3).fill("egress-exhausted"));
  const used = "SELECT egress_used_kbps FROM node WHERE id = 'node_test_c'";
  expect(await zone.count(used)).toBe(3 * view);
});

test("screens sit on screen workers and cost cameras nothing", async () => {
  await register(zone, {
    workers: ["producer", "consumer", "screen-producer", "screen-consumer"],
  });
  const roomId = await openRoom(zone, 1);
  await broadcaster(zone, roomId, "screen");
  const viewers = await all(3, () => join(zone, roomId));
  for (const sessionId of viewers) await watch(zone, roomId, sessionId);
  const points = (media: string) =>
    zone.count("SELECT sum(points_used) FROM worker WHERE media_class = ?", media);
  expect([await points("camera"), await points("screen")]).toEqual([0, 2]);
});
