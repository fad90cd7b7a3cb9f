import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { findDrift } from "#control/ledger/drift.ts";
import { migrateDatabase } from "#control/local/migrate.ts";
import type { ToldCaps } from "#schema/caps.ts";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkPictureEqualsDatabase } from "./check-picture.ts";
import {
  accountId,
  broadcaster,
  entry,
  join,
  openRoom,
  register,
  silent,
  watchActive,
} from "./people.ts";

const none = { rooms: null, reservedPoints: null, sessions: null, egressKbps: null };
let versions = 0;

/** Tells the zone what the account may hold, as its operator has just said. */
async function cap(zone: Zone, caps: Partial<ToldCaps>): Promise<void> {
  versions += 1;
  const told = { ...none, version: versions, ...caps };
  await zone.get("readAccountUse", { accountId, caps: told });
}

const use = (zone: Zone) => zone.get("readAccountUse", { accountId });

async function allHolds(zone: Zone): Promise<void> {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
  expect(await checkPictureEqualsDatabase(zone)).toEqual([]);
  expect(await findDrift(zone.eye)).toEqual([]);
}

const many = <T>(count: number, make: (at: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, at) => make(at)));

test("of 64 who come at once, an account's cap on sessions lets in exactly as many as it says", async () => {
  const zone = await startZone();
  const rooms = [await openRoom(zone, 3), await openRoom(zone, 3)];
  await cap(zone, { sessions: 40 });
  const come = (at: number) => zone.ask("enterRoom", entry(rooms[at % 2] ?? ""));
  const answers = await many(64, come);
  expect(answers.filter(({ ok }) => ok)).toHaveLength(40);
  const refused = answers.flatMap((one) => (one.ok ? [] : [one.refusal]));
  for (const { refusal, cap: reached, detail } of refused) {
    expect(refusal).toBe("account-cap-exceeded");
    expect(reached).toEqual({ name: "sessions", max: 40, used: 40 });
    expect(detail).toMatch(/40 sessions.*sessions.*40 are in use/);
  }
  const other = { accountId: "account_test_two", tier: 1, reserve: false };
  const elsewhere = (await zone.get("createRoom", other)).id;
  await zone.get("enterRoom", entry(elsewhere));
  await allHolds(zone);
});

test("a cap of 0 rooms opens none; closing a room twice gives back one", async () => {
  const zone = await startZone();
  await cap(zone, { rooms: 0 });
  const room = { accountId, tier: 1, reserve: false };
  expect(await zone.refused("createRoom", room)).toMatchObject({
    refusal: "account-cap-exceeded",
    cap: { name: "rooms", max: 0, used: 0 },
  });
  await cap(zone, { rooms: 2 });
  const [first = ""] = (await many(2, () => zone.get("createRoom", room))).map(
    ({ id }) => id,
  );
  await zone.refused("createRoom", room);
  await many(2, () => zone.get("closeRoom", { roomId: first, accountId }));
  expect(await use(zone)).toMatchObject({ rooms: 1 });
  const opened = await many(8, () => zone.ask("createRoom", room));
  expect(opened.filter(({ ok }) => ok)).toHaveLength(1);
  await allHolds(zone);
});

test("views are charged to the room's account up to its egress, and no view more", async () => {
  const zone = await startZone();
  await register(zone, { workers: ["producer", "consumer", "consumer", "consumer"] });
  const roomId = await openRoom(zone, 2);
  for (let at = 0; at < 4; at += 1) await broadcaster(zone, roomId);
  const { view } = zone.settings.nominalKbps.camera;
  await cap(zone, { egressKbps: 10 * view + 1 });
  const viewers = await many(5, () => join(zone, roomId));
  const answers = await many(5, (at) =>
    zone.get("claimViews", { roomId, sessionId: viewers[at] ?? "", broadcasts: "all" }),
  );
  expect(answers.flatMap(({ views }) => views)).toHaveLength(10);
  const refused = answers.flatMap((one) => one.refused);
  expect(refused).toHaveLength(10);
  for (const { code, detail } of refused) {
    expect(code).toBe("account-cap-exceeded");
    expect(detail).toMatch(/egressKbps.*8800 are in use|egressKbps/);
  }
  expect(await use(zone)).toMatchObject({ egressKbps: 10 * view });
  await zone.get("leaveRoom", { roomId, sessionId: viewers[0] ?? "" });
  expect(await use(zone)).toMatchObject({ egressKbps: 6 * view, sessions: 8 });
  await allHolds(zone);
});

test("a lower cap closes nothing and refuses the next; who comes back is no newcomer", async () => {
  const zone = await startZone();
  await register(zone);
  const roomId = await openRoom(zone, 1);
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  await watchActive(zone, roomId, sessionId);
  await cap(zone, { sessions: 1, rooms: 1, egressKbps: 0 });
  expect(await use(zone)).toMatchObject({ sessions: 2, rooms: 1, egressKbps: 880 });
  expect(await zone.refused("enterRoom", entry(roomId))).toMatchObject({
    cap: { name: "sessions", max: 1, used: 2 },
  });
  const back = { ...entry(roomId), replaces: sessionId };
  const again = (await zone.get("enterRoom", back)).sessionId;
  const answer = await zone.get("claimViews", {
    roomId,
    sessionId: again,
    broadcasts: "all",
  });
  expect(answer.refused).toMatchObject([{ code: "account-cap-exceeded" }]);
  await zone.get("leaveRoom", { roomId, sessionId: again });
  await allHolds(zone);
});

test("older news of an account's caps change nothing, and the ledger keeps the newest", async () => {
  const zone = await startZone();
  const roomId = await openRoom(zone, 1);
  await cap(zone, { sessions: 1 });
  const old = { ...none, version: versions - 1 };
  const late = { ...entry(roomId), caps: old };
  await zone.get("enterRoom", late);
  zone.evict();
  expect(await zone.refused("enterRoom", late)).toMatchObject({ cap: { max: 1 } });
  await allHolds(zone);
});

test("a deployment's cap holds for accounts without their own, and theirs wins over it", async () => {
  const zone = await startZone({ settings: { accounts: { caps: { sessions: 1 } } } });
  const roomId = await openRoom(zone, 1);
  await zone.get("enterRoom", entry(roomId));
  expect(await zone.refused("enterRoom", entry(roomId))).toMatchObject({
    cap: { name: "sessions", max: 1 },
  });
  await cap(zone, { sessions: 2 });
  await zone.get("enterRoom", entry(roomId));
  await allHolds(zone);
});

test("reserved points are capped as they are granted, and given back once", async () => {
  const zone = await startZone();
  const each = ["producer", "consumer", "screen-producer", "screen-consumer"] as const;
  await register(zone, { workers: [each, each, each].flat() });
  await cap(zone, { reservedPoints: 20 });
  const reserved = { accountId, tier: 1, reserve: true };
  const opened = await many(4, () => zone.ask("createRoom", reserved));
  expect(opened.filter(({ ok }) => ok)).toHaveLength(1);
  const refusal = opened.flatMap((one) => (one.ok ? [] : [one.refusal]))[0];
  const held = (await use(zone)).reservedPoints;
  expect(refusal?.cap).toEqual({ name: "reservedPoints", max: 20, used: held });
  expect(held).toBe(18);
  const roomId = opened.flatMap((one) => (one.ok ? [one.value.id] : []))[0] ?? "";
  await zone.get("changeRoom", { roomId, accountId, reserve: false });
  expect((await use(zone)).reservedPoints).toBe(0);
  const plain = await openRoom(zone, 1);
  await cap(zone, { reservedPoints: 17 });
  const change = { roomId: plain, accountId, reserve: true };
  expect(await zone.refused("changeRoom", change)).toMatchObject({
    cap: { name: "reservedPoints", max: 17, used: 0 },
  });
  await allHolds(zone);
});

test("a view that moves counts once, and moves whatever the cap", async () => {
  const zone = await startZone();
  await register(zone, { name: "a", workers: ["producer"] });
  const host = await register(zone, { name: "b", workers: ["consumer"] });
  const roomId = await openRoom(zone, 1);
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  await watchActive(zone, roomId, sessionId);
  const { view } = zone.settings.nominalKbps.camera;
  await cap(zone, { egressKbps: view });
  // Another seat, with both held: it is the same view to the account.
  await register(zone, { name: "c", workers: ["consumer"] });
  await zone.get("drainNode", { nodeId: host.nodeId });
  await zone.advance(1000);
  expect(await zone.count('SELECT count(*) FROM "view"')).toBe(2);
  expect(await use(zone)).toMatchObject({ egressKbps: view });
  await allHolds(zone);
  await cap(zone, { egressKbps: 0 });
  await zone.advance(60_000);
  const { rows } = await zone.eye.execute("SELECT DISTINCT worker_id FROM slot");
  expect(rows).toHaveLength(1);
  expect(await use(zone)).toMatchObject({ egressKbps: view });
  await allHolds(zone);
});

test("a view whose host died with nothing to take its place counts until it is given up", async () => {
  const zone = await startZone();
  await register(zone, { name: "a", workers: ["producer"] });
  const host = await register(zone, { name: "b", workers: ["consumer"] });
  const roomId = await openRoom(zone, 1);
  await broadcaster(zone, roomId);
  const [sessionId, other] = [await join(zone, roomId), await join(zone, roomId)];
  await watchActive(zone, roomId, sessionId);
  const { view } = zone.settings.nominalKbps.camera;
  await cap(zone, { egressKbps: view });
  await silent(zone, host, "gone");
  await zone.advance(0);
  expect(await zone.count("SELECT count(*) FROM waiting")).toBe(1);
  expect(await use(zone)).toMatchObject({ egressKbps: view });
  await register(zone, { name: "c", workers: ["consumer"] });
  const another = { roomId, sessionId: other, broadcasts: "all" as const };
  const answer = await zone.get("claimViews", another);
  expect(answer.refused).toMatchObject([{ code: "account-cap-exceeded" }]);
  await zone.advance(0);
  expect(await zone.count("SELECT count(*) FROM waiting")).toBe(0);
  expect(await zone.count('SELECT count(*) FROM "view"')).toBe(1);
  await allHolds(zone);
  await zone.get("leaveRoom", { roomId, sessionId });
  expect((await zone.get("claimViews", another)).views).toHaveLength(1);
  await allHolds(zone);
});

test("a wrong counter is drift, and the database refuses what would build on it", async () => {
  const zone = await startZone();
  const roomId = await openRoom(zone, 1);
  const { sessionId } = await zone.get("enterRoom", entry(roomId));
  await zone.eye.execute("UPDATE account_use SET sessions_present = 0, rooms_open = 7");
  expect(await findDrift(zone.eye)).toMatchObject([
    { what: "account.rooms", id: accountId, counted: 7, rows: 1 },
    { what: "account.sessions", id: accountId, counted: 0, rows: 1 },
  ]);
  expect(await zone.refused("leaveRoom", { roomId, sessionId })).toMatchObject({
    refusal: "internal",
  });
  expect(zone.alerts.map(({ what }) => what)).toContain("request-poisoned");
});

test("what an older Weir wrote meanwhile is counted when the zone is taken over", async () => {
  const zone = await startZone();
  const roomId = await openRoom(zone, 1);
  const { sessionId } = await zone.get("enterRoom", entry(roomId));
  await zone.eye.batch(
    [
      "UPDATE account_use SET sessions_present = 0, rooms_open = 0",
      "UPDATE zone SET commit_seq = commit_seq + 1",
    ],
    "write",
  );
  zone.evict();
  expect(await use(zone)).toMatchObject({ sessions: 1, rooms: 1 });
  await zone.get("leaveRoom", { roomId, sessionId });
  await allHolds(zone);
});

test("a database with rows that knows no counters yet is migrated with them", async () => {
  const zone = await startZone();
  await register(zone);
  const roomId = await openRoom(zone, 1);
  await broadcaster(zone, roomId);
  await watchActive(zone, roomId, await join(zone, roomId));
  const { rows } = await zone.eye.execute("SELECT * FROM account_use");
  const last = "SELECT max(created_at) FROM __drizzle_migrations";
  await zone.eye.batch(
    [
      "DROP TABLE account_use",
      "ALTER TABLE zone DROP COLUMN counted_seq",
      `DELETE FROM __drizzle_migrations WHERE created_at = (${last})`,
    ],
    "write",
  );
  const migrations = new URL("../../schema/control/migrations", import.meta.url);
  await migrateDatabase({ url: zone.server.url, folder: fileURLToPath(migrations) });
  expect((await zone.eye.execute("SELECT * FROM account_use")).rows).toEqual(rows);
  expect(rows).toMatchObject([
    { rooms_open: 1, sessions_present: 2, cameras_watched: 1 },
  ]);
  await allHolds(zone);
});
