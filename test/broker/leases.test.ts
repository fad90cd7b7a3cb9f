import { afterEach, beforeEach, expect, test } from "vitest";
import { Lease } from "#control/objects/lease.ts";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import {
  broadcaster,
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

/* What a host's silence costs, and what it does not. */

let zone: Zone;
let host: Host;
let roomId: string;

beforeEach(async () => {
  ({ zone, host, roomId } = await setStage(1));
});

afterEach(() => expectInOrder(zone));

const views = () => zone.count('SELECT count(*) FROM "view"');

test("a host cut off for less than its lease comes back with its claims, for longer without", async () => {
  const sessionId = await join(zone, roomId);
  const [view] = await watchActive(zone, roomId, sessionId);
  await silent(zone, host, "suspect");
  await heard(zone, host);
  expect(await views()).toBe(1);
  await silent(zone, host, "suspect");
  await silent(zone, host, "gone");
  expect(await views()).toBe(0);
  expect(await heard(zone, host)).toMatchObject({ refusal: { refusal: "node-fenced" } });
  // Told so that a picture which may still come is not thrown away first.
  expect(zone.toldTo(roomId, sessionId).at(-1)?.event).toMatchObject({
    type: "view.lost",
    viewId: view?.viewId,
  });
});

test("a host cut off and healed never has more than its 12 points, in its old life and its new", async () => {
  const tier = await openRoom(zone, 4);
  await register(zone, { name: "q", workers: ["producer"] });
  for (let at = 0; at < 12; at += 1) await broadcaster(zone, tier);
  const viewers = await Promise.all(Array.from({ length: 6 }, () => join(zone, tier)));
  for (const sessionId of viewers) await watchActive(zone, tier, sessionId);
  const used = () =>
    zone.count(
      "SELECT points_used FROM worker WHERE id = ?",
      host.workers[0]?.workerId ?? "",
    );
  expect(await used()).toBe(12);
  await silent(zone, host, "suspect");
  await silent(zone, host, "gone");
  // It may be sending still: nothing is placed on it before it has begun anew.
  await zone.advance(60_000);
  expect(await used()).toBe(0);
  expect(await views()).toBe(0);
  host = await register(zone, { name: "c", workers: ["consumer"] });
  await zone.advance(0);
  expect(await used()).toBe(12);
  expect(await views()).toBe(72);
});

test("leases wait while most of a zone is silent, alert once, and end one by one after all", async () => {
  const others = [];
  for (const name of ["d", "e", "f"]) {
    others.push(await register(zone, { name, workers: ["consumer"] }));
  }
  const [d, e] = others;
  if (!d || !e) throw new Error("There are no hosts.");
  const sessionId = await join(zone, roomId);
  await watchActive(zone, roomId, sessionId);
  for (const one of [host, d]) await silent(zone, one, "suspect");
  expect(await silent(zone, host, "gone")).toEqual({ paused: true });
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
  expect(await silent(zone, host, "gone")).toEqual({ paused: true });
  expect(zone.alerts.map(({ what }) => what)).toEqual(["leases-paused"]);
  expect((await nodeOf(zone, host))?.state).toBe("suspect");
  // The first that are back do not cost the last its lease: it may be on its way.
  await heard(zone, d);
  expect(await silent(zone, host, "gone")).toEqual({ paused: true });
  zone.nowMs += zone.settings.timing.nodeSuspectMs;
  expect(await silent(zone, host, "gone")).toEqual({ paused: false });
  expect((await nodeOf(zone, host))?.state).toBe("gone");
  // One that ended just now counts with the next.
  await silent(zone, d, "suspect");
  expect(await silent(zone, d, "gone")).toEqual({ paused: true });
  zone.nowMs += 300_000;
  expect(await silent(zone, d, "gone")).toEqual({ paused: false });
});

test("one of two hosts may end by itself, both at once may not", async () => {
  const pair = await startZone();
  const a = await register(pair, { name: "a", workers: ["producer"] });
  const b = await register(pair, { name: "b", workers: ["consumer"] });
  await silent(pair, a, "suspect");
  await silent(pair, b, "suspect");
  expect(await silent(pair, a, "gone")).toEqual({ paused: true });
  expect((await heard(pair, b)).ok).toBe(true);
  pair.nowMs += pair.settings.timing.nodeSuspectMs;
  expect(await silent(pair, a, "gone")).toEqual({ paused: false });
});

test("a lease does not run while the database is down, nor for one who slept", async () => {
  const lease = new Lease(zone.nowMs, 5000);
  const look = async (ms: number) => {
    zone.nowMs += ms;
    const alive = await zone.client.execute("SELECT 1").then(
      () => true,
      () => false,
    );
    lease.look(zone.nowMs, alive);
    return lease.silentMs;
  };
  expect(await look(5000)).toBe(5000);
  await zone.server.stop();
  for (let steps = 0; steps < 12; steps += 1) expect(await look(5000)).toBe(5000);
  await zone.server.resume();
  expect(await look(5000)).toBe(10_000);
  // An alarm that rang an hour late counts for two steps.
  expect(await look(3_600_000)).toBe(20_000);
  lease.heard(zone.nowMs);
  expect(await look(5000)).toBe(5000);
});
