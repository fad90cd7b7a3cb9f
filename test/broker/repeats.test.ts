import { afterEach, beforeEach, expect, test } from "vitest";
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
  watch,
} from "./people.ts";

/* Everything may be asked twice: by a client that heard no answer, or by two. */

let zone: Zone;
let roomId: string;

beforeEach(async () => {
  zone = await startZone();
  await register(zone);
  roomId = await openRoom(zone);
});

afterEach(async () => {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
  expect(await checkPictureEqualsDatabase(zone)).toEqual([]);
});

const present = () =>
  zone.count("SELECT sessions_present FROM room WHERE id = ?", roomId);
const points = () => zone.count("SELECT sum(points_used) FROM worker");

test("a viewer who leaves twice gives its seat back once", async () => {
  await broadcaster(zone, roomId);
  const stays = await join(zone, roomId);
  const leaves = await join(zone, roomId);
  for (const sessionId of [stays, leaves]) await watch(zone, roomId, sessionId);
  const leave = { roomId, sessionId: leaves };
  const both = await Promise.all([
    zone.get("leaveRoom", leave),
    zone.get("leaveRoom", leave),
  ]);
  expect(both.map(({ left }) => left)).toEqual([true, false]);
  expect((await zone.get("leaveRoom", leave)).left).toBe(false);
  expect(await present()).toBe(2);
  expect(await zone.count("SELECT viewers FROM slot")).toBe(1);
  expect(await points()).toBe(1);
});

test("a view released twice gives its seat back once", async () => {
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const [view] = await watch(zone, roomId, sessionId);
  const viewIds = [view?.viewId ?? "", view?.viewId ?? ""];
  const ask = { roomId, sessionId, viewIds };
  const counts = await Promise.all([
    zone.get("releaseViews", ask),
    zone.get("releaseViews", ask),
  ]);
  expect(counts.map(({ released }) => released)).toEqual([1, 0]);
  expect(await points()).toBe(0);
});

test("one session cannot give back another's view", async () => {
  await broadcaster(zone, roomId);
  const [view] = await watch(zone, roomId, await join(zone, roomId));
  const stranger = await join(zone, roomId);
  const viewIds = [view?.viewId ?? ""];
  const ask = { roomId, sessionId: stranger, viewIds };
  expect((await zone.get("releaseViews", ask)).released).toBe(0);
  expect(await zone.count('SELECT count(*) FROM "view"')).toBe(1);
});

test("watching twice keeps the seat that the viewer has, in one group too", async () => {
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const claims = await Promise.all([
    watch(zone, roomId, sessionId),
    watch(zone, roomId, sessionId),
  ]);
  const again = await watch(zone, roomId, sessionId);
  const ids = [...claims, again].map((views) => views.map(({ viewId }) => viewId));
  expect(ids[0]).toHaveLength(1);
  expect(ids).toEqual([ids[0], ids[0], ids[0]]);
  expect(await zone.count("SELECT viewers FROM slot")).toBe(1);
});

test("a broadcast stopped twice gives its place back once", async () => {
  const { sessionId, broadcastId } = await broadcaster(zone, roomId);
  await broadcaster(zone, roomId);
  const stop = { roomId, sessionId, broadcastId };
  const both = await Promise.all([
    zone.get("stopBroadcast", stop),
    zone.get("stopBroadcast", stop),
  ]);
  expect(both.map(({ stopped }) => stopped)).toEqual([true, false]);
  expect(await zone.count("SELECT sum(broadcasts_used) FROM worker")).toBe(1);
});

test("a room closed twice is closed once", async () => {
  await broadcaster(zone, roomId);
  const close = { roomId, accountId };
  await Promise.all([zone.get("closeRoom", close), zone.get("closeRoom", close)]);
  const { rows } = await zone.eye.execute("SELECT event ->> 'type' AS type FROM event");
  expect(rows.filter(({ type }) => type === "room.closed")).toHaveLength(1);
  expect(await present()).toBe(0);
});

const scope = (key: string, bodyHash = "a") => ({ roomId, key, bodyHash });

test("a repeated key returns the first claim, from memory and from the ledger", async () => {
  const first = await zone.ask("enterRoom", entry(roomId), scope("k"));
  const second = await zone.ask("enterRoom", entry(roomId), scope("k"));
  zone.evict();
  const third = await zone.ask("enterRoom", entry(roomId), scope("k"));
  expect(first.ok).toBe(true);
  expect(second).toEqual(first);
  expect(third).toEqual(first);
  expect(await present()).toBe(1);
});

test("a repeated key with another body is refused and changes nothing", async () => {
  await zone.ask("enterRoom", entry(roomId), scope("k"));
  const other = await zone.ask("enterRoom", entry(roomId, "other"), scope("k", "b"));
  const refusal = { refusal: "idempotency-mismatch" };
  expect(other).toEqual({ ok: false, refusal });
  expect(await present()).toBe(1);
});

test("requests with one key in flight together make one claim", async () => {
  const asked = Array.from({ length: 5 }, () =>
    zone.ask("enterRoom", entry(roomId), scope("k")),
  );
  const other = zone.ask("enterRoom", entry(roomId), scope("k", "b"));
  const answers = await Promise.all(asked);
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(await other).toMatchObject({ refusal: { refusal: "idempotency-mismatch" } });
  expect(await present()).toBe(1);
});

test("a key whose request was refused is free for the next try", async () => {
  const { viewers = 0 } = zone.settings.tiers[1] ?? {};
  const people = await Promise.all(
    Array.from({ length: viewers }, () => join(zone, roomId)),
  );
  const refused = await zone.ask("enterRoom", entry(roomId), scope("k"));
  expect(refused).toMatchObject({ refusal: { refusal: "room-full" } });
  await zone.get("leaveRoom", { roomId, sessionId: people[0] ?? "" });
  expect((await zone.ask("enterRoom", entry(roomId), scope("k"))).ok).toBe(true);
});

test("a key whose commit was lost and repeated makes one claim", async () => {
  let fate: "drop-after" | "none" = "drop-after";
  zone.faults = (traffic) => {
    if (traffic !== "commit") return "none";
    const now = fate;
    fate = "none";
    return now;
  };
  const first = await zone.ask("enterRoom", entry(roomId), scope("k"));
  const second = await zone.ask("enterRoom", entry(roomId), scope("k"));
  expect(second).toEqual(first);
  expect(await present()).toBe(1);
});
