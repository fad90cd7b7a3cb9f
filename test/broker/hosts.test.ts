import { afterEach, beforeEach, expect, test } from "vitest";
import { startZone, type Zone } from "#test/harness/zone.ts";
import {
  broadcaster,
  die,
  type Host,
  heard,
  join,
  nodeOf,
  openRoom,
  register,
  silent,
  watch,
  watchActive,
} from "./people.ts";
import { expectInOrder } from "./stage.ts";

/* What a host's end, silence or return does to what was claimed on it. */

let zone: Zone;
let consumers: Host;
let roomId: string;

beforeEach(async () => {
  zone = await startZone();
  await register(zone, { name: "p", workers: ["producer", "producer"] });
  consumers = await register(zone, { name: "c", workers: ["consumer"] });
  roomId = await openRoom(zone);
});

afterEach(() => expectInOrder(zone));

const views = () => zone.count('SELECT count(*) FROM "view"');
const broadcasts = () => zone.count("SELECT count(*) FROM broadcast");

test("a consumer worker's death moves its viewers, and the next pipe is a new one", async () => {
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const [before] = await watchActive(zone, roomId, sessionId);
  await die(zone, consumers, 0);
  expect(await views()).toBe(1);
  const [after] = await watch(zone, roomId, sessionId);
  const { viewId, broadcastId } = before ?? {};
  expect(zone.toldTo(roomId, sessionId).at(-1)?.event).toEqual({
    type: "view.moved",
    viewId,
    toViewId: after?.viewId,
    broadcastId,
    reason: "its media worker died",
    oldRunsMs: 0,
  });
  expect(after?.pipeOpen).toBe(false);
  expect(after?.generation).toBeGreaterThan(before?.generation ?? 0);
  expect(after?.consumer.incarnation).toBe("another");
});

test("a host that says goodbye is gone at once, is no failure, and holds up nobody's lease", async () => {
  const other = await register(zone, { name: "d", workers: ["consumer"] });
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const [view] = await watchActive(zone, roomId, sessionId);
  const leaves = view?.consumer.workerId.includes("_d_") ? other : consumers;
  const { nodeId, epoch } = leaves;
  const late = await zone.refused("nodeLeft", { nodeId, epoch: epoch - 1 });
  expect(late.refusal).toBe("node-fenced");
  for (let times = 0; times < 2; times += 1)
    await zone.get("nodeLeft", { nodeId, epoch });
  expect(zone.toldTo(roomId, sessionId).at(-1)?.event).toMatchObject({
    type: "view.moved",
    viewId: view?.viewId,
    reason: "its host has left",
  });
  expect(await heard(zone, leaves)).toMatchObject({
    refusal: { refusal: "node-fenced" },
  });
  const stays = leaves === other ? consumers : other;
  const left = await nodeOf(zone, leaves);
  expect([left?.state, left?.failure]).toEqual(["gone", undefined]);
  for (const state of ["suspect", "gone"] as const) {
    expect(await silent(zone, stays, state)).toEqual({ paused: false });
  }
});

test("a death that is reported twice, or late, ends nothing of the worker's next life", async () => {
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  await watch(zone, roomId, sessionId);
  await die(zone, consumers, 0);
  await watch(zone, roomId, sessionId);
  await die(zone, consumers, 0);
  expect(await views()).toBe(1);
});

test("a host that registers again has only new claims on it, and its old epoch no say", async () => {
  await broadcaster(zone, roomId);
  const [view] = await watchActive(zone, roomId, await join(zone, roomId));
  const again = await register(zone, { name: "c", workers: ["consumer"] });
  expect(again.epoch).toBe(consumers.epoch + 1);
  const { rows } = await zone.eye.execute('SELECT id, state FROM "view"');
  expect(rows).toMatchObject([{ state: "claimed" }]);
  expect(rows[0]?.id).not.toBe(view?.viewId);
  expect(await heard(zone, consumers)).toMatchObject({
    refusal: { refusal: "node-fenced" },
  });
  await silent(zone, consumers, "gone");
  expect((await heard(zone, again)).ok).toBe(true);
  expect((await watch(zone, roomId, await join(zone, roomId))).length).toBe(1);
});

test("a host that comes back with fewer workers offers only those", async () => {
  const wide = { name: "w", workers: ["consumer" as const, "consumer" as const] };
  await register(zone, wide);
  await register(zone, { name: "w", workers: ["consumer"] });
  const { nodes } = await zone.get("readFleet", {});
  const open = nodes
    .flatMap(({ workers }) => workers)
    .filter((worker) => worker.open && worker.role === "consumer");
  expect(open.map(({ id }) => id).sort()).toEqual(["worker_test_c_0", "worker_test_w_0"]);
});

test("a silent host takes nothing new, keeps what it has, and comes back by being heard", async () => {
  await broadcaster(zone, roomId);
  await watchActive(zone, roomId, await join(zone, roomId));
  await silent(zone, consumers, "suspect");
  expect(await views()).toBe(1);
  const sessionId = await join(zone, roomId);
  const ask = { roomId, sessionId, broadcasts: "all" as const };
  const refused = await zone.get("claimViews", ask);
  expect(refused).toMatchObject({ views: [], refused: [{ code: expect.any(String) }] });
  expect((await heard(zone, consumers)).ok).toBe(true);
  expect(await watch(zone, roomId, sessionId)).toHaveLength(1);
});

test("a host that is gone has lost its views, and is fenced until it registers", async () => {
  await broadcaster(zone, roomId);
  await watchActive(zone, roomId, await join(zone, roomId));
  await silent(zone, consumers, "gone");
  expect([await broadcasts(), await views()]).toEqual([1, 0]);
  expect(await heard(zone, consumers)).toMatchObject({
    refusal: { refusal: "node-fenced" },
  });
  await register(zone, { name: "c", workers: ["consumer"] });
  await zone.advance(0);
  expect(await views()).toBe(1);
});

test("a cordoned host keeps what it has and takes nothing new", async () => {
  await broadcaster(zone, roomId);
  const inside = await join(zone, roomId);
  await watchActive(zone, roomId, inside);
  await zone.get("cordonNode", { nodeId: consumers.nodeId, cordoned: true });
  zone.evict();
  const sessionId = await join(zone, roomId);
  const ask = { roomId, sessionId, broadcasts: "all" as const };
  expect((await zone.get("claimViews", ask)).views).toEqual([]);
  expect(await views()).toBe(1);
  await zone.get("cordonNode", { nodeId: consumers.nodeId, cordoned: false });
  expect(await watch(zone, roomId, sessionId)).toHaveLength(1);
});
