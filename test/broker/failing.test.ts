import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Zone } from "#test/harness/zone.ts";
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
  watchActive,
} from "./people.ts";
import { expectInOrder, setStage } from "./stage.ts";

/* When a host counts as failing, and what that costs it. */

let zone: Zone;
let host: Host;
let roomId: string;

beforeEach(async () => {
  // All may be held back, so that one host of a kind is enough to see it.
  ({ zone, host, roomId } = await setStage(1, { failing: { heldShareMax: 1 } }));
});

afterEach(() => expectInOrder(zone));

const views = () => zone.count('SELECT count(*) FROM "view"');

/** What a newcomer who watches is refused with; nothing where there is a seat. */
async function refusalOfNewcomer(): Promise<string | undefined> {
  const sessionId = await join(zone, roomId);
  const ask = { roomId, sessionId, broadcasts: "all" as const };
  const { refused } = await zone.get("claimViews", ask);
  await zone.get("leaveRoom", { roomId, sessionId });
  return refused[0]?.detail;
}

async function failTwice(one: Host): Promise<void> {
  await die(zone, one, 0);
  await dieAgain(one);
}

/** A worker's next life ends too, long enough after the first to be a failure anew. */
async function dieAgain(one = host): Promise<void> {
  await zone.advance(zone.settings.failing.incidentMs);
  const workers = [{ workerId: one.workers[0]?.workerId ?? "", incarnation: "another" }];
  const { nodeId, epoch } = one;
  const died = { nodeId, epoch, ...workers[0], replacedBy: "a third" };
  await zone.get("workerDied", { workerId: "", incarnation: "", ...died });
}

test("a host that fails twice in a minute gets nothing new until it was well for a minute", async () => {
  await watchActive(zone, roomId, await join(zone, roomId));
  await die(zone, host, 0);
  expect(await refusalOfNewcomer()).toBeUndefined();
  await dieAgain();
  expect(await refusalOfNewcomer()).toContain("1 failing");
  const node = await nodeOf(zone, host);
  expect(node?.failure).toMatchObject({
    reason: "a media worker died",
    heldUntil: new Date(zone.nowMs + 60_000).toISOString(),
  });
  expect(node?.workers[0]).toMatchObject({ open: false, reason: "failing" });
  zone.evict();
  await zone.get("readFleet", {});
  await zone.advance(59_999);
  expect(await refusalOfNewcomer()).toContain("1 failing");
  await zone.advance(1);
  expect(await refusalOfNewcomer()).toBeUndefined();
});

describe("of what could serve no more than half is held back", () => {
  let other: Host;
  beforeEach(async () => {
    ({ zone, host, roomId } = await setStage(1));
    other = await register(zone, { name: "d", workers: ["consumer"] });
  });
  const isHeld = async (one: Host) => {
    return (await nodeOf(zone, one))?.failure?.heldUntil !== undefined;
  };

  test("who was well longest is let go", async () => {
    await failTwice(host);
    expect(await isHeld(host)).toBe(true);
    await zone.advance(20_000);
    await failTwice(other);
    expect([await isHeld(host), await isHeld(other)]).toEqual([false, true]);
    expect(await refusalOfNewcomer()).toBeUndefined();
  });

  test("the only one that is left is let go, and who waits is seated there", async () => {
    await watchActive(zone, roomId, await join(zone, roomId));
    await failTwice(host);
    await silent(zone, other, "suspect");
    expect(await isHeld(host)).toBe(false);
    await zone.advance(0);
    expect(await zone.count("SELECT count(*) FROM waiting")).toBe(0);
    expect(await refusalOfNewcomer()).toBeUndefined();
  });

  test("a host of another kind is none of those", async () => {
    await zone.get("cordonNode", { nodeId: other.nodeId, cordoned: true });
    for (const name of ["q", "r", "s"]) {
      await register(zone, { name, workers: ["producer"] });
    }
    await failTwice(host);
    expect(await isHeld(host)).toBe(false);
    expect(await refusalOfNewcomer()).toBeUndefined();
  });
});

test("a host whose workers all die at once has failed once", async () => {
  host = await register(zone, { name: "e", workers: ["consumer", "consumer"] });
  await die(zone, host, 0);
  await die(zone, host, 1);
  const node = await nodeOf(zone, host);
  expect(node?.workers.map(({ open }) => open)).toEqual([true, true]);
});

test("who lost a seat on a host that is held back is seated there when it is well again", async () => {
  await die(zone, host, 0);
  await watchActive(zone, roomId, await join(zone, roomId));
  await dieAgain();
  expect([await views(), await zone.count("SELECT count(*) FROM waiting")]).toEqual([
    0, 1,
  ]);
  await zone.advance(60_000);
  expect([await views(), await zone.count("SELECT count(*) FROM waiting")]).toEqual([
    1, 0,
  ]);
});

test("failing again while it is held back costs twice as long, and silence does not count as well", async () => {
  await die(zone, host, 0);
  await dieAgain();
  await zone.advance(zone.settings.failing.incidentMs);
  await silent(zone, host, "suspect");
  await zone.advance(100_000);
  await heard(zone, host);
  await zone.advance(119_999);
  expect(await refusalOfNewcomer()).toContain("1 failing");
  await zone.advance(1);
  expect(await refusalOfNewcomer()).toBeUndefined();
});

test("two failures that lie far apart hold nothing back, and an announced leave is none", async () => {
  await die(zone, host, 0);
  await zone.advance(60_001);
  await dieAgain();
  expect(await refusalOfNewcomer()).toBeUndefined();
  await zone.advance(60_001);
  for (let times = 0; times < 3; times += 1) {
    await zone.get("nodeHeard", { ...host, draining: true, egressKbps: 0, workers: [] });
    host = await register(zone, { name: "c", workers: ["consumer"] });
  }
  expect(await refusalOfNewcomer()).toBeUndefined();
});

test("loss reported by three sessions makes a host suspect at once, and moves those three", async () => {
  const other = await register(zone, { name: "d", workers: ["consumer"] });
  await zone.get("cordonNode", { nodeId: other.nodeId, cordoned: true });
  const viewers = await Promise.all([1, 2, 3, 4].map(() => join(zone, roomId)));
  const seen = [];
  for (const sessionId of viewers) {
    const [view] = await watchActive(zone, roomId, sessionId);
    seen.push({ roomId, sessionId, viewId: view?.viewId ?? "" });
  }
  await zone.get("cordonNode", { nodeId: other.nodeId, cordoned: false });
  // Too young to judge, and somebody else's view.
  const [first] = seen;
  if (!first) throw new Error("Nobody watches.");
  expect(await zone.get("viewLost", first)).toEqual({ moved: false });
  await zone.advance(2000);
  const stranger = { ...first, sessionId: viewers[3] ?? "" };
  expect((await zone.refused("viewLost", stranger)).refusal).toBe("not-found");
  for (const [at, one] of seen.slice(0, 3).entries()) {
    expect((await nodeOf(zone, host))?.state).toBe("ready");
    expect(await zone.get("viewLost", one)).toEqual({ moved: true });
    const told = zone.toldTo(roomId, one.sessionId).at(-1)?.event;
    expect(told).toMatchObject({ type: "view.moved", viewId: one.viewId, oldRunsMs: 0 });
    const on = "SELECT count(*) FROM \"view\" WHERE worker_id LIKE '%_d_%'";
    expect(await zone.count(on)).toBe(at + 1);
  }
  expect((await nodeOf(zone, host))?.state).toBe("suspect");
  expect((await zone.refused("viewLost", first)).refusal).toBe("not-found");
  // Its heartbeats alone do not make it well.
  await heard(zone, host);
  expect((await nodeOf(zone, host))?.state).toBe("suspect");
  await zone.advance(10_001);
  await heard(zone, host);
  expect((await nodeOf(zone, host))?.state).toBe("ready");
  // Who did not complain was left alone.
  expect(await views()).toBe(4);
});

test("three who complain do not speak for the many who do not", async () => {
  const viewers = await Promise.all(Array.from({ length: 8 }, () => join(zone, roomId)));
  const second = await openRoom(zone, 4);
  await register(zone, { name: "q", workers: ["producer"] });
  for (let at = 0; at < 4; at += 1) await broadcaster(zone, second);
  for (let at = 0; at < 5; at += 1) {
    await watchActive(zone, second, await join(zone, second));
  }
  for (const sessionId of viewers) await watchActive(zone, roomId, sessionId);
  await zone.advance(2000);
  for (const sessionId of viewers.slice(0, 3)) {
    const [view] = await watchActive(zone, roomId, sessionId);
    const viewId = view?.viewId ?? "";
    expect(await zone.get("viewLost", { roomId, sessionId, viewId })).toEqual({
      moved: true,
    });
  }
  expect((await nodeOf(zone, host))?.state).toBe("ready");
});
