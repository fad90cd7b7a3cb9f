import { expect, test } from "vitest";
import type { Fault } from "#control/local/hrana-server.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { broadcaster, entry, openRoom, register } from "./people.ts";

const many = <T>(count: number, make: (at: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, at) => make(at)));

/** Holds every commit until opened; requests meanwhile wait for the next one. */
function holdCommits(zone: Zone): { open: () => void } {
  const gate = Promise.withResolvers<Fault>();
  zone.faults = (traffic) => (traffic === "commit" ? gate.promise : "none");
  return {
    open() {
      zone.faults = () => "none";
      gate.resolve("none");
    },
  };
}

const committing = (zone: Zone) =>
  waitFor(() => zone.traffic.at(-1) === "commit", { what: "a commit to be sent" });

test("64 joins and 64 views of one room take one round trip a wave", async () => {
  const zone = await startZone();
  await register(zone, { workers: ["producer", ...Array(8).fill("consumer")] });
  const roomId = await openRoom(zone, 6);
  await broadcaster(zone, roomId);
  zone.traffic.length = 0;
  const sessions = await many(64, () => zone.get("enterRoom", entry(roomId)));
  expect(zone.traffic).toEqual(["commit"]);
  const views = await many(64, (at) => {
    const sessionId = sessions[at]?.sessionId ?? "";
    return zone.get("claimViews", { roomId, sessionId, broadcasts: "all" });
  });
  expect(zone.traffic).toEqual(["commit", "commit"]);
  const claimed = views.flatMap((one) => one.views.map(({ viewId }) => viewId));
  expect(new Set(claimed).size).toBe(64);
  expect(await zone.count('SELECT count(*) FROM "view"')).toBe(64);
  expect(await zone.count("SELECT sum(points_used) FROM worker")).toBe(11);
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
});

test("a room that is not in memory costs one more round trip for the whole wave", async () => {
  const zone = await startZone();
  const rooms = await many(8, () => openRoom(zone, 3));
  zone.evict();
  await zone.get("readFleet", {});
  zone.traffic.length = 0;
  await many(64, (at) => zone.get("enterRoom", entry(rooms[at % 8] ?? "")));
  expect(zone.traffic).toEqual(["read", "commit"]);
});

test("no answer leaves before its commit, reads and refusals included", async () => {
  const zone = await startZone();
  const roomId = await openRoom(zone, 0);
  const full = zone.settings.tiers[0]?.viewers ?? 0;
  await many(full - 1, () => zone.get("enterRoom", entry(roomId)));
  const gate = holdCommits(zone);
  const left: string[] = [];
  zone.traffic.length = 0;
  const first = zone.ask("enterRoom", entry(roomId)).then(() => left.push("entered"));
  const refused = zone.ask("enterRoom", entry(roomId)).then(() => left.push("refused"));
  await committing(zone);
  const read = zone.ask("readRoom", { roomId }).then(() => left.push("read"));
  // A request of its own to the server: whatever could overtake it has.
  await zone.client.execute("SELECT 1");
  expect(left).toEqual([]);
  expect(await zone.count("SELECT count(*) FROM session")).toBe(full - 1);
  gate.open();
  await Promise.all([first, refused, read]);
  expect(left).toEqual(["entered", "refused", "read"]);
});

test("what is told to others is told after the commit and before the answers", async () => {
  const zone = await startZone();
  const roomId = await openRoom(zone);
  zone.committed.length = 0;
  const gate = holdCommits(zone);
  const entered = zone.ask("enterRoom", entry(roomId)).then(() => zone.committed.length);
  await committing(zone);
  expect(zone.committed).toEqual([]);
  gate.open();
  expect(await entered).toBe(1);
});

test("requests beyond the queue's bound are told that the zone is busy", async () => {
  const zone = await startZone({ settings: { broker: { queueMax: 8 } } });
  const roomId = await openRoom(zone, 3);
  const gate = holdCommits(zone);
  zone.traffic.length = 0;
  const first = zone.ask("enterRoom", entry(roomId));
  await committing(zone);
  const waiting = many(12, () => zone.ask("enterRoom", entry(roomId)));
  gate.open();
  const answers = await waiting;
  expect((await first).ok).toBe(true);
  expect(answers.slice(0, 8).every(({ ok }) => ok)).toBe(true);
  for (const answer of answers.slice(8)) {
    const busy = { refusal: "busy", retryAfter: expect.any(Number) };
    expect(answer).toMatchObject({ ok: false, refusal: busy });
  }
  expect(await zone.count("SELECT count(*) FROM session")).toBe(9);
  expect((await zone.ask("enterRoom", entry(roomId))).ok).toBe(true);
});

test("a group is never larger than its marks, in requests or in rows", async () => {
  const zone = await startZone({
    settings: { broker: { groupMax: 16, groupRowsMax: 20 } },
  });
  const roomId = await openRoom(zone, 6);
  zone.traffic.length = 0;
  zone.committed.length = 0;
  await many(48, () => zone.get("enterRoom", entry(roomId)));
  // Entering writes a session, a deadline and an event beside the room's row.
  const groups = zone.traffic.filter((traffic) => traffic === "commit").length;
  expect(groups).toBeGreaterThanOrEqual(Math.ceil((48 * 3) / 22));
  expect(groups).toBeLessThan(48);
});

test("answers come in the order in which they were asked for", async () => {
  const zone = await startZone({ settings: { broker: { groupMax: 4 } } });
  const roomId = await openRoom(zone, 3);
  const order: number[] = [];
  await many(30, async (at) => {
    await zone.get("enterRoom", entry(roomId, `nr ${at}`));
    order.push(at);
  });
  expect(order).toEqual(Array.from({ length: 30 }, (_, at) => at));
});
