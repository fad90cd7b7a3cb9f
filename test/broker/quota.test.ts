import { afterEach, beforeEach, expect, test } from "vitest";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkPictureEqualsDatabase } from "./check-picture.ts";
import { broadcaster, type Host, join, openRoom, register } from "./people.ts";

/* A host's traffic in a month: what it sent counts, and what was granted for a while. */

let zone: Zone;
let consumers: Host;
let roomId: string;

beforeEach(async () => {
  zone = await startZone();
  await register(zone, { name: "p", workers: ["producer"] });
  const quota = { egressQuotaGbPerMonth: 10 };
  consumers = await register(zone, { name: "c", workers: ["consumer"], ...quota });
  roomId = await openRoom(zone);
  await broadcaster(zone, roomId);
});
afterEach(async () => {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
  expect(await checkPictureEqualsDatabase(zone)).toEqual([]);
});

/** The host says that it has sent so many megabytes since its last heartbeat. */
async function sent(megabytes: number): Promise<void> {
  const egressKbps = (megabytes * 8_000_000) / zone.settings.timing.heartbeatMs;
  const heard = { draining: false, egressKbps, workers: [] };
  await zone.get("nodeHeard", { ...consumers, ...heard });
}

async function tryToWatch() {
  const sessionId = await join(zone, roomId);
  return zone.get("claimViews", { roomId, sessionId, broadcasts: "all" });
}

const warnings = () =>
  zone.count("SELECT count(*) FROM event WHERE stream_id = 'node_test_c'");

test("from 80 % of the month's quota on the operator is warned, once", async () => {
  await sent(7900);
  expect(await warnings()).toBe(0);
  await sent(200);
  expect(await warnings()).toBe(1);
  await sent(200);
  expect(await warnings()).toBe(1);
});

test("a used-up quota admits nothing new, says so, and leaves what is there alone", async () => {
  expect((await tryToWatch()).views).toHaveLength(1);
  await sent(10_000);
  const { views, refused } = await tryToWatch();
  expect(views).toEqual([]);
  expect(refused).toMatchObject([{ code: "quota-exhausted" }]);
  expect(await zone.count('SELECT count(*) FROM "view"')).toBe(1);
  // It is remembered by whoever takes the zone over.
  await zone.evict();
  expect((await tryToWatch()).refused).toMatchObject([{ code: "quota-exhausted" }]);
});

test("what is granted has to fit into the quota for an hour, not only what was sent", async () => {
  // A view sends 396 MB in an hour: two fit into what is left, and no third.
  await sent(10_000 - 900);
  const codes: string[] = [];
  for (let viewer = 0; viewer < 4; viewer += 1) {
    const { views, refused } = await tryToWatch();
    codes.push(...views.map(() => "granted"), ...refused.map(({ code }) => code));
  }
  expect(codes).toEqual(["granted", "granted", "quota-exhausted", "quota-exhausted"]);
});

test("a new month starts with the whole quota", async () => {
  await sent(10_000);
  expect((await tryToWatch()).views).toEqual([]);
  await zone.advance(32 * 86_400_000);
  await sent(0);
  expect((await tryToWatch()).views).toHaveLength(1);
});
