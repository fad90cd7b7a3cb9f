import { afterEach, expect, test } from "vitest";
import type { Answer } from "#control/broker/requests.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkPictureEqualsDatabase } from "./check-picture.ts";
import { broadcaster, entry, join, openRoom, register } from "./people.ts";

/*
 * The broker is thrown away in the middle of a burst. Whoever got no answer asks
 * again with the same key, as a client does: everyone is served exactly once.
 */

let zone: Zone;

afterEach(async () => {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
  expect(await checkPictureEqualsDatabase(zone)).toEqual([]);
});

/** Asks until answered, each time whichever broker is there. */
async function persist<T>(ask: () => Promise<Answer<T>>): Promise<T> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const answer = await ask();
    if (answer.ok) return answer.value;
    if (answer.refusal.refusal !== "unavailable") {
      throw new Error(`Refused: ${JSON.stringify(answer.refusal)}`);
    }
  }
  throw new Error("The zone was unavailable twenty times in a row.");
}

/** Evicts the broker each time that so many commits more have been sent. */
function evictDuringCommits(times: number, every: number): () => number {
  let seen = 0;
  let evicted = 0;
  zone.faults = (traffic) => {
    if (traffic !== "commit") return "none";
    seen += 1;
    if (seen % every === 0 && evicted < times) {
      evicted += 1;
      zone.evict();
    }
    return "none";
  };
  return () => evicted;
}

test("200 joins with the broker evicted among them: everyone is in once", async () => {
  zone = await startZone({ settings: { broker: { groupMax: 20 } }, latencyMs: 4 });
  const rooms = await Promise.all([1, 2, 3].map(() => openRoom(zone, 6)));
  const evicted = evictDuringCommits(3, 3);
  const sessions = await Promise.all(
    Array.from({ length: 200 }, (_, at) => {
      const roomId = rooms[at % 3] ?? "";
      const scope = { roomId, key: `enter ${at}`, bodyHash: "a" };
      return persist(() => zone.ask("enterRoom", entry(roomId, `nr ${at}`), scope));
    }),
  );
  expect(evicted()).toBe(3);
  const { rows } = await zone.eye.execute("SELECT id, identity FROM session");
  expect(rows).toHaveLength(200);
  const identities = new Map(rows.map(({ id, identity }) => [id, identity]));
  expect(sessions.map(({ sessionId }) => identities.get(sessionId))).toEqual(
    Array.from({ length: 200 }, (_, at) => `nr ${at}`),
  );
});

test("200 views claimed with the broker evicted among them: each has one seat", async () => {
  zone = await startZone({ settings: { broker: { groupMax: 20 } }, latencyMs: 4 });
  await register(zone, { workers: ["producer", ...Array(8).fill("consumer")] });
  const roomId = await openRoom(zone, 4);
  for (let at = 0; at < 8; at += 1) await broadcaster(zone, roomId);
  const viewers = await Promise.all(Array.from({ length: 25 }, () => join(zone, roomId)));
  const { rows } = await zone.eye.execute("SELECT id FROM broadcast");
  const evicted = evictDuringCommits(3, 3);
  const asked = viewers.flatMap((sessionId) =>
    rows.map(({ id }) => ({ roomId, sessionId, broadcasts: [String(id)] })),
  );
  const claims = await Promise.all(
    asked.map((input) => persist(() => zone.ask("claimViews", input))),
  );
  expect(evicted()).toBe(3);
  const claimed = claims.flatMap((one) => one.views.map(({ viewId }) => viewId));
  expect(claimed).toHaveLength(200);
  const { rows: views } = await zone.eye.execute('SELECT id FROM "view" ORDER BY id');
  expect(claimed.sort()).toEqual(views.map(({ id }) => id));
});

test("an evicted broker's unanswered burst is in the ledger whole or not at all", async () => {
  zone = await startZone({ latencyMs: 4 });
  const roomId = await openRoom(zone, 6);
  await zone.get("readRoom", { roomId });
  zone.traffic.length = 0;
  const burst = Array.from({ length: 60 }, () => zone.ask("enterRoom", entry(roomId)));
  await waitFor(() => zone.traffic.includes("commit"), { what: "the commit" });
  zone.evict();
  await zone.get("readFleet", {});
  const answers = await Promise.all(burst);
  const inLedger = await zone.count("SELECT count(*) FROM session");
  expect([0, 60]).toContain(inLedger);
  expect(answers.filter(({ ok }) => ok)).toHaveLength(inLedger);
});

test.each([
  ["over", 90_000],
  ["nearly over", -1],
])(
  "deadlines outlive the broker that set them, with their full time (%s)",
  async (_, afterMs) => {
    zone = await startZone();
    const roomId = await openRoom(zone);
    await zone.get("enterRoom", entry(roomId));
    const attachMs = zone.settings.timing.sessionAttachMs;
    // Nobody was there to hear the session while the broker was away.
    zone.evict();
    zone.nowMs += attachMs + afterMs;
    await zone.get("readFleet", {});
    await zone.advance(attachMs - 1);
    expect(await zone.count("SELECT count(*) FROM session")).toBe(1);
    await zone.advance(1);
    expect(await zone.count("SELECT count(*) FROM session")).toBe(0);
  },
);
