import { afterEach, beforeEach, expect, test } from "vitest";
import { findDrift } from "#control/ledger/drift.ts";
import type { Inventory } from "#schema/agent/call-results.ts";
import type { Zone } from "#test/harness/zone.ts";
import { die, type Host, join, register, watch, watchActive } from "./people.ts";
import { expectInOrder, setStage } from "./stage.ts";

/* What hosts have is held against the ledger, and totals against their rows. */

let zone: Zone;
let host: Host;
let roomId: string;
let viewer: string;
let viewId: string;
let transportId: string;
let pipe: Inventory["pipes"][number];

beforeEach(async () => {
  ({ zone, host, roomId } = await setStage(1));
  viewer = await join(zone, roomId);
  const [view] = await watchActive(zone, roomId, viewer);
  if (!view) throw new Error("There is no view.");
  const { broadcastId, producer, consumer, generation } = view;
  ({ viewId, transportId } = view);
  pipe = { broadcastId, producer, consumer, generation };
});

afterEach(() => expectInOrder(zone));

const whole = (): Inventory => ({
  views: [{ viewId, sessionId: viewer }],
  transports: [{ transportId, sessionId: viewer, direction: "receive" }],
  pipes: [pipe],
});
const compare = (inventory: Inventory) => {
  const { nodeId, epoch } = host;
  return zone.get("reconcileNode", { nodeId, epoch, inventory });
};
const instructed = () =>
  zone.committed
    .flatMap(({ instructions }) => instructions.get(host.nodeId) ?? [])
    .map(({ instruction }) => instruction);
const nothing = { orphans: 0, closed: 0, missing: 0, replaced: 0 };

test("a host that has what the ledger says is left alone", async () => {
  expect(await compare(whole())).toEqual(nothing);
  await zone.advance(60_000);
  expect(await compare(whole())).toEqual(nothing);
  expect(instructed()).toEqual([]);
});

test("what no row backs is told to close, once it has stayed for the grace", async () => {
  const inventory = whole();
  inventory.views.push({ viewId: "view_test_ghost", sessionId: "session_test_ghost" });
  const ghost = {
    transportId: "transport_test_c_ghost",
    sessionId: "session_test_ghost",
  };
  inventory.transports.push({ ...ghost, direction: "send" });
  inventory.pipes.push({ ...pipe, generation: 0 });
  expect(await compare(inventory)).toEqual({ ...nothing, orphans: 3 });
  await zone.advance(9999);
  expect(await compare(inventory)).toEqual({ ...nothing, orphans: 3 });
  await zone.advance(1);
  expect(await compare(inventory)).toEqual({ ...nothing, orphans: 3, closed: 3 });
  expect(instructed()).toEqual([
    { kind: "close-view", viewId: "view_test_ghost", sessionId: "session_test_ghost" },
    { kind: "close-transport", ...ghost },
    { kind: "pipe", ...pipe, generation: 0, wanted: "closed" },
  ]);
});

test("what was there for one look only is not touched", async () => {
  const inventory = whole();
  inventory.views.push({ viewId: "view_test_ghost", sessionId: "session_test_ghost" });
  await compare(inventory);
  await zone.advance(20_000);
  await compare(whole());
  await zone.advance(20_000);
  expect(await compare(inventory)).toEqual({ ...nothing, orphans: 1 });
});

test("a view that its host has no longer gets another seat; one that is only claimed is awaited", async () => {
  const late = await join(zone, roomId);
  await watch(zone, roomId, late);
  const without = { ...whole(), views: [] };
  expect(await compare(without)).toEqual({ ...nothing, missing: 1 });
  await zone.advance(10_000);
  expect(await compare(without)).toEqual({ ...nothing, missing: 1, replaced: 1 });
  expect(zone.toldTo(roomId, viewer).at(-1)?.event).toMatchObject({
    type: "view.moved",
    viewId,
  });
});

test("a broadcast that its host does not receive is interrupted and may be resumed", async () => {
  const producer = { nodeId: "node_test_p", epoch: 1 };
  const empty: Inventory = { views: [], transports: [], pipes: [] };
  const look = () => zone.get("reconcileNode", { ...producer, inventory: empty });
  expect(await look()).toEqual({ ...nothing, missing: 1 });
  await zone.advance(10_000);
  expect(await look()).toEqual({ ...nothing, missing: 1, replaced: 1 });
  const types = zone.told(roomId).map(({ event }) => event.type);
  expect(types.at(-1)).toBe("broadcast.interrupted");
});

test("an inventory of an older epoch says nothing", async () => {
  const { nodeId, epoch } = host;
  await register(zone, { name: "c", workers: ["consumer"] });
  const late = { nodeId, epoch, inventory: whole() };
  expect(await zone.refused("reconcileNode", late)).toEqual({ refusal: "node-fenced" });
});

test("drift is found where a total is not the sum of its rows, and nowhere else", async () => {
  await die(zone, host, 0);
  expect(await findDrift(zone.eye)).toEqual([]);
  const { workerId } = host.workers[0] ?? {};
  const change = (by: string) =>
    zone.eye.execute(`UPDATE worker SET points_used = points_used ${by}
      WHERE role = 'consumer'`);
  await change("+ 2");
  const found = await findDrift(zone.eye);
  await change("- 2");
  expect(found).toContainEqual({
    what: "worker.points",
    id: workerId,
    counted: 3,
    rows: 1,
  });
});

test("a view that its host did not bring is placed once more elsewhere, then given back", async () => {
  const other = await register(zone, { name: "d", workers: ["consumer"] });
  const sessionId = await join(zone, roomId);
  const [first] = await watch(zone, roomId, sessionId);
  const fail = (id: string, again: boolean) =>
    zone.get("failViews", { roomId, sessionId, viewIds: [id], again });
  const { views } = await fail(first?.viewId ?? "", true);
  expect(views).toHaveLength(1);
  expect(views[0]?.consumer.workerId).toBe(other.workers[0]?.workerId);
  expect((await fail(views[0]?.viewId ?? "", false)).views).toEqual([]);
  expect(await zone.count('SELECT count(*) FROM "view"')).toBe(1);
});

test("a moving view whose new host fails it stays in its old seat", async () => {
  await register(zone, { name: "d", workers: ["consumer"] });
  await zone.get("drainNode", { nodeId: host.nodeId, withinMs: 60_000 });
  await zone.advance(0);
  const [next] = await watch(zone, roomId, viewer);
  expect(next?.viewId).not.toBe(viewId);
  const failed = {
    roomId,
    sessionId: viewer,
    viewIds: [next?.viewId ?? ""],
    again: true,
  };
  expect((await zone.get("failViews", failed)).views).toEqual([]);
  const [now] = await watch(zone, roomId, viewer);
  expect(now?.viewId).toBe(viewId);
});
