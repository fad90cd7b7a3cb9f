import { afterEach, beforeEach, expect, test } from "vitest";
import type { Fault } from "#control/local/hrana-server.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { startZone, type Traffic, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkPictureEqualsDatabase } from "./check-picture.ts";
import { accountId, broadcaster, entry, join, openRoom, register } from "./people.ts";

/* Commits whose answer never comes: lost before, lost after, late, or taken over. */

let zone: Zone;
let roomId: string;

beforeEach(() => start(5000));

async function start(commitTimeoutMs: number): Promise<void> {
  zone = await startZone({ settings: { broker: { commitTimeoutMs } } });
  await register(zone);
  roomId = await openRoom(zone, 3);
}

afterEach(async () => {
  zone.faults = () => "none";
  await zone.get("readFleet", {});
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
  expect(await checkPictureEqualsDatabase(zone)).toEqual([]);
});

/** The next commit, or the next `times` of them, meets this fate. */
function failCommits(how: Fault, times = 1): void {
  let left = times;
  zone.faults = (traffic) => {
    if (traffic !== "commit" || left === 0) return "none";
    left -= 1;
    return how;
  };
}

const enterMany = (many: number) =>
  Promise.all(Array.from({ length: many }, () => zone.ask("enterRoom", entry(roomId))));

const sessions = () => zone.count("SELECT count(*) FROM session");
const alerts = () => zone.alerts.map(({ what }) => what);
const generation = () => zone.count("SELECT generation FROM zone");

/** The events of the room as they were told, and as the ledger has them. */
async function expectToldOnce(): Promise<void> {
  const { rows } = await zone.eye.execute({
    sql: "SELECT seq FROM event WHERE stream_id = ? ORDER BY seq",
    args: [roomId],
  });
  expect(zone.told(roomId).map(({ seq }) => seq)).toEqual(rows.map(({ seq }) => seq));
}

test("a commit that landed without an answer is answered, not run again", async () => {
  failCommits("drop-after");
  const answers = await enterMany(10);
  expect(answers.every(({ ok }) => ok)).toBe(true);
  expect(await sessions()).toBe(10);
  expect(alerts()).toEqual(["commit-unknown"]);
  await expectToldOnce();
});

test("a commit that never arrived runs again, once", async () => {
  failCommits("drop-before");
  const answers = await enterMany(10);
  expect(answers.every(({ ok }) => ok)).toBe(true);
  expect(await sessions()).toBe(10);
  await expectToldOnce();
});

test("several lost commits in a row lose and double nothing", async () => {
  let at = 0;
  const fates: Fault[] = ["drop-before", "drop-after", "drop-after", "drop-before"];
  zone.faults = (traffic) => (traffic === "commit" ? (fates[at++] ?? "none") : "none");
  for (let round = 0; round < 4; round += 1) {
    const answers = await enterMany(5);
    expect(answers.every(({ ok }) => ok)).toBe(true);
  }
  expect(at).toBeGreaterThanOrEqual(fates.length);
  expect(await sessions()).toBe(20);
  await expectToldOnce();
});

test("a commit that never gets through is given up, and nothing of it is there", async () => {
  failCommits("drop-before", Number.POSITIVE_INFINITY);
  const answers = await enterMany(3);
  for (const answer of answers) {
    expect(answer).toMatchObject({ ok: false, refusal: { refusal: "unavailable" } });
  }
  zone.faults = () => "none";
  expect(await sessions()).toBe(0);
  expect((await enterMany(3)).every(({ ok }) => ok)).toBe(true);
});

/** Holds the next commit at the server's door until it is let in. */
function holdCommit(): { isHeld: () => boolean; letIn: () => void } {
  const gate = Promise.withResolvers<Fault>();
  let held = false;
  zone.faults = (traffic) => {
    if (traffic !== "commit" || held) return "none";
    held = true;
    return gate.promise;
  };
  return { isHeld: () => held, letIn: () => gate.resolve("none") };
}

test("a commit that arrives after its broker gave it up is refused by the guard", async () => {
  await start(1500);
  const late = holdCommit();
  // The client gives up after its timeout; the server still has the request.
  const answers = await enterMany(6);
  expect(answers.every(({ ok }) => ok)).toBe(true);
  expect(await sessions()).toBe(6);
  const before = await generation();
  late.letIn();
  await zone.get("readRoom", { roomId });
  await zone.get("enterRoom", entry(roomId));
  expect(await sessions()).toBe(7);
  expect(await generation()).toBe(before);
  await expectToldOnce();
});

test("a late commit does not undo what was done since", async () => {
  const late = holdCommit();
  const rename = (name: string) => ({ roomId, accountId, name });
  const lost = zone.ask("changeRoom", rename("from the old broker"));
  await waitFor(late.isHeld, { what: "the commit to be held" });
  zone.evict();
  await zone.get("changeRoom", rename("from the new one"));
  late.letIn();
  expect((await lost).ok).toBe(false);
  const { rows } = await zone.eye.execute("SELECT name FROM room");
  expect(rows[0]?.name).toBe("from the new one");
});

test("a commit still under way when its broker was evicted cannot land later", async () => {
  const late = holdCommit();
  const lost = enterMany(6);
  await waitFor(late.isHeld, { what: "the commit to be held" });
  const old = zone.evict();
  expect((await enterMany(4)).every(({ ok }) => ok)).toBe(true);
  late.letIn();
  for (const answer of await lost) {
    expect(answer).toMatchObject({ ok: false, refusal: { refusal: "unavailable" } });
  }
  expect(old.superseded).toBe(true);
  expect(await sessions()).toBe(4);
  await expectToldOnce();
});

test("a broker that another one has replaced says so and never writes again", async () => {
  await zone.get("enterRoom", entry(roomId));
  const old = zone.evict();
  await zone.get("enterRoom", entry(roomId));
  const before = await generation();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const answer = await old.ask("enterRoom", entry(roomId));
    expect(answer).toMatchObject({ ok: false, refusal: { refusal: "unavailable" } });
  }
  expect(old.superseded).toBe(true);
  expect(await sessions()).toBe(2);
  expect(await generation()).toBe(before);
  expect((await zone.ask("enterRoom", entry(roomId))).ok).toBe(true);
});

test("a broker cut off in mid-commit leaves the zone to the one that took over", async () => {
  const down = new Set<Traffic>(["commit", "fence", "read"]);
  zone.faults = (traffic) => (down.has(traffic) ? "drop-before" : "none");
  const [lost] = await enterMany(1);
  expect(lost?.ok).toBe(false);
  down.clear();
  const old = zone.evict();
  expect((await enterMany(2)).every(({ ok }) => ok)).toBe(true);
  const before = await generation();
  const late = await old.ask("enterRoom", entry(roomId));
  expect(late).toMatchObject({ ok: false, refusal: { refusal: "unavailable" } });
  expect(old.superseded).toBe(true);
  expect(await generation()).toBe(before);
  expect((await enterMany(2)).every(({ ok }) => ok)).toBe(true);
  expect(await sessions()).toBe(4);
});

test("a takeover whose answer was lost is tried again", async () => {
  zone.evict();
  let lost = false;
  zone.faults = (traffic) => {
    if (traffic !== "fence" || lost) return "none";
    lost = true;
    return "drop-after";
  };
  const [first] = await enterMany(1);
  expect(first).toMatchObject({ ok: false, refusal: { refusal: "unavailable" } });
  expect((await enterMany(1)).every(({ ok }) => ok)).toBe(true);
  expect(await sessions()).toBe(1);
});

test("a broker that cannot tell who raised the generation leaves the zone to another", async () => {
  const fates: Partial<Record<Traffic, Fault>> = {
    commit: "drop-before",
    fence: "drop-after",
  };
  zone.faults = (traffic) => {
    const fate = fates[traffic] ?? "none";
    delete fates[traffic];
    return fate;
  };
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const [answer] = await enterMany(1);
    expect(answer).toMatchObject({ ok: false, refusal: { refusal: "unavailable" } });
  }
  expect(zone.broker.superseded).toBe(true);
  zone.evict();
  expect((await enterMany(2)).every(({ ok }) => ok)).toBe(true);
  expect(await sessions()).toBe(2);
});

test("an outage of the database is answered at once and over when it is over", async () => {
  await zone.server.stop();
  for (const answer of await enterMany(3)) {
    expect(answer).toMatchObject({ ok: false, refusal: { refusal: "unavailable" } });
  }
  await zone.server.resume();
  expect((await enterMany(3)).every(({ ok }) => ok)).toBe(true);
  expect(await sessions()).toBe(3);
});

test("views and pipes survive lost commits as sessions do", async () => {
  await broadcaster(zone, roomId);
  const viewers = await Promise.all([1, 2, 3].map(() => join(zone, roomId)));
  for (const how of ["drop-after", "drop-before"] as const) {
    failCommits(how);
    const answers = await Promise.all(
      viewers.map((sessionId) =>
        zone.ask("claimViews", { roomId, sessionId, broadcasts: "all" }),
      ),
    );
    const ids = answers.flatMap((one) => (one.ok ? one.value.views : []));
    expect(ids).toHaveLength(3);
    const { rows } = await zone.eye.execute('SELECT id FROM "view" ORDER BY id');
    expect(ids.map(({ viewId }) => viewId).sort()).toEqual(rows.map(({ id }) => id));
    for (const [at, sessionId] of viewers.entries()) {
      const viewIds = [ids[at]?.viewId ?? ""];
      await zone.get("releaseViews", { roomId, sessionId, viewIds });
    }
  }
});
