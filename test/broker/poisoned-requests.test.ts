import { beforeEach, expect, test } from "vitest";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkPictureEqualsDatabase } from "./check-picture.ts";
import { broadcaster, entry, join, openRoom, register, watch } from "./people.ts";

/*
 * Rows are damaged behind the broker's back, as a bug or a careless operator
 * might: what the database then refuses may hurt nobody but who asked for it.
 */

let zone: Zone;

beforeEach(async () => {
  zone = await startZone();
  await register(zone);
});

const alerts = () => zone.alerts.map(({ what }) => what);

test("a request that the audits refuse gets a 500 and an alert, its group their answers", async () => {
  const rooms = await Promise.all([1, 2, 3, 4].map(() => openRoom(zone)));
  const [bad = "", ...good] = rooms;
  await zone.eye.execute({
    sql: `INSERT INTO session (id, room_id, identity, can_publish, can_subscribe, room_admin,
    attached, entered_at_ms, event_seq)
    VALUES ('session_test_ghost', ?, 'ghost', 1, 1, 0, 1, 0, 0)`,
    args: [bad],
  });
  const asked = [good[0], bad, good[1], good[2]].map((id = "") =>
    zone.ask("enterRoom", entry(id)),
  );
  const answers = await Promise.all(asked);
  expect(answers.map(({ ok }) => ok)).toEqual([true, false, true, true]);
  expect(answers[1]).toEqual({ ok: false, refusal: { refusal: "internal" } });
  expect(alerts()).toContain("commit-refused");
  const poisoned = zone.alerts.filter(({ what }) => what === "request-poisoned");
  expect(poisoned.map(({ details }) => details.name)).toEqual(["enterRoom"]);
  for (const answer of answers) {
    if (!answer.ok) continue;
    const { sessionId } = answer.value;
    const found = "SELECT count(*) FROM session WHERE id = ?";
    expect(await zone.count(found, sessionId)).toBe(1);
  }
  expect(await zone.count("SELECT count(*) FROM session")).toBe(4);
  await zone.eye.execute("DELETE FROM session WHERE id = 'session_test_ghost'");
  zone.evict();
  await zone.get("enterRoom", entry(bad));
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
  expect(await checkPictureEqualsDatabase(zone)).toEqual([]);
});

test("a request that cannot be decided gets a 500 and an alert, its group their answers", async () => {
  const roomId = await openRoom(zone);
  await broadcaster(zone, roomId);
  const viewer = await join(zone, roomId);
  await watch(zone, roomId, viewer);
  // The view is left without its pipe, which the ledger never allows.
  await zone.eye.execute("DELETE FROM pipe");
  zone.evict();
  const elsewhere = await openRoom(zone);
  const watching = { roomId, sessionId: viewer, broadcasts: "all" as const };
  const [entered, broken, alsoEntered] = await Promise.all([
    zone.ask("enterRoom", entry(elsewhere)),
    zone.ask("claimViews", watching),
    zone.ask("enterRoom", entry(elsewhere)),
  ]);
  expect(broken).toEqual({ ok: false, refusal: { refusal: "internal" } });
  expect([entered.ok, alsoEntered.ok]).toEqual([true, true]);
  const present = "SELECT sessions_present FROM room WHERE id = ?";
  expect(await zone.count(present, elsewhere)).toBe(2);
  expect(alerts()).toContain("request-poisoned");
});

test("a poisoned request leaves nothing behind, in the database or in memory", async () => {
  const bad = await openRoom(zone);
  const good = await openRoom(zone);
  await zone.eye.execute({
    sql: `INSERT INTO session (id, room_id, identity, can_publish, can_subscribe, room_admin,
    attached, entered_at_ms, event_seq)
    VALUES ('session_test_ghost', ?, 'ghost', 1, 1, 0, 1, 0, 0)`,
    args: [bad],
  });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    expect(await zone.refused("enterRoom", entry(bad))).toEqual({ refusal: "internal" });
    await zone.get("enterRoom", entry(good));
  }
  const { sessions } = await zone.get("listSessions", { roomId: bad });
  expect(sessions.map(({ id }) => id)).toEqual(["session_test_ghost"]);
  expect(await zone.count("SELECT count(*) FROM session WHERE room_id = ?", good)).toBe(
    3,
  );
});
