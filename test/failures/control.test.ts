import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { databaseNames } from "#schema/databases.ts";
import { inject } from "#test/chaos/faults.ts";
import type { FaultKind } from "#test/chaos/schedule.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { SmallZone, suspectMs } from "./small-zone.ts";

/** How long a database is away, in milliseconds. */
const outageMs = Number(process.env.WEIR_TEST_OUTAGE_MS ?? 5000);

let small: SmallZone;

beforeAll(async () => {
  small = await SmallZone.start();
});
afterAll(async () => {
  await small.stop();
});

/** Lets something fail for that long, in milliseconds. */
function happens(kind: FaultKind, forMs: number): Promise<void> {
  return inject({ kind, atMs: 0, forMs, host: 0, which: 0 }, small.zone);
}

describe("media goes on and nothing is lost", () => {
  let before: number[] = [];
  beforeAll(async () => {
    await small.isWell();
    before = await small.interruptions();
  });
  afterEach(async () => {
    await small.newcomerSees();
    // Each of these is away for longer than that, or would take longer to mend.
    expect(await small.longestSince(before)).toBeLessThan(suspectMs);
  });

  test("while control is away for five seconds and comes back without memory", async () => {
    await happens("control-restart", 5000);
  }, 120_000);

  test.each(["broker-evict", "mailbox-evict", "channel-evict"] as const)(
    "while an object of control ends in the midst of its work (%s)",
    (kind) => happens(kind, 0),
  );

  test.each(databaseNames)(
    "while the %s database is away",
    async (name) => {
      await small.control.stopDatabase(name);
      await delay(outageMs);
      await small.control.resumeDatabase(name);
    },
    120_000 + outageMs,
  );
});

test("who goes while control is killed holds nothing for long after", async () => {
  const sessions = await small.control.count("session");
  const away = happens("control-restart", 3000);
  // Their sockets die with the runtime, so nobody is ever told that they closed.
  await small.zone.population.vanish(false, 0);
  await away;
  const followed = async () => (await small.control.count("session")) > sessions;
  await waitFor(followed, { what: "the one who follows", timeoutMs: 60_000 });
  const ended = async () => (await small.control.count("session")) === sessions;
  await waitFor(ended, { what: "the session's end", timeoutMs: 60_000 });
  await small.isWell();
}, 180_000);

test("after everybody has left nothing is held anywhere", async () => {
  await small.isEmptyAfterAll();
}, 150_000);
