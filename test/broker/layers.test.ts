import { beforeEach, expect, test } from "vitest";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { broadcaster, join, openRoom, register, watch } from "./people.ts";

let zone: Zone;
let roomId: string;

beforeEach(async () => {
  // Six seats a worker: a seventh viewer opens a pipe to the second one.
  zone = await startZone({ settings: { weight: { pointsPerWorker: 1 } } });
  await register(zone, { name: "p", workers: ["producer"] });
  await register(zone, { name: "c", workers: ["consumer", "consumer"] });
  roomId = await openRoom(zone, 1);
});

/** A broadcast that is watched on both workers. */
async function watchedOnTwo() {
  const own = await broadcaster(zone, roomId);
  const views = [];
  for (let at = 0; at < 7; at += 1) {
    const sessionId = await join(zone, roomId);
    const [view] = await watch(zone, roomId, sessionId);
    if (view) views.push({ ...view, sessionId });
  }
  const workers = [...new Set(views.map(({ consumer }) => consumer.workerId))];
  const [one = "", two = ""] = workers;
  const want = async (workerId: string, spatialLayer: number) => {
    const { broadcastId } = own;
    const heard = { roomId, broadcastId, workerId, spatialLayer };
    return (await zone.get("wantLayers", heard)).told;
  };
  return { own, views, one, two, want };
}

test("the broadcaster is told the highest layer that is wanted on any worker", async () => {
  const { own, one, two, want } = await watchedOnTwo();
  const told = await want(one, 0);
  // Nothing was heard of the other pipe yet.
  expect(told).toMatchObject({ roomId, tier: 1, sessionId: own.sessionId });
  expect(told?.spatialLayer).toBe(7);
  expect((await want(two, 1))?.spatialLayer).toBe(1);
  expect((await want(one, 2))?.spatialLayer).toBe(2);
  expect((await want(one, -1))?.spatialLayer).toBe(1);
});

test("a worker that shows it no more wants nothing of it", async () => {
  const { views, one, two, want } = await watchedOnTwo();
  await want(one, 2);
  await want(two, 0);
  for (const { sessionId, viewId, consumer } of views) {
    if (consumer.workerId !== one) continue;
    await zone.get("releaseViews", { roomId, sessionId, viewIds: [viewId] });
  }
  await zone.advance(zone.settings.timing.pipeLingerMs + 1);
  expect((await want(two, 0))?.spatialLayer).toBe(0);
});

test("a broker that forgot what was wanted has everything sent, and writes nothing", async () => {
  const { one, two, want } = await watchedOnTwo();
  await want(one, 0);
  await want(two, 0);
  const commits = zone.traffic.filter((one) => one === "commit").length;
  expect((await want(two, 0))?.spatialLayer).toBe(0);
  expect(zone.traffic.filter((one) => one === "commit").length).toBe(commits);
  zone.evict();
  expect((await want(one, 0))?.spatialLayer).toBe(7);
  expect((await want(two, 0))?.spatialLayer).toBe(0);
});

test("of a broadcast that has ended nobody is told anything", async () => {
  const { own, one, want } = await watchedOnTwo();
  await zone.get("stopBroadcast", { roomId, ...own });
  expect(await want(one, 2)).toBeUndefined();
});
