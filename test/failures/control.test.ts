import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { databaseNames } from "#schema/databases.ts";
import { inject } from "#test/chaos/faults.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { SmallZone, suspectMs } from "./small-zone.ts";

let small: SmallZone;

beforeAll(async () => {
  small = await SmallZone.start();
});
afterAll(async () => {
  await small.stop();
});

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
    await inject(
      { kind: "control-restart", atMs: 0, forMs: 5000, host: 0, which: 0 },
      await targets(),
    );
  }, 120_000);

  test.each(["broker-evict", "mailbox-evict", "channel-evict"] as const)(
    "while an object of control ends in the midst of its work (%s)",
    async (kind) => {
      await inject({ kind, atMs: 0, forMs: 0, host: 0, which: 0 }, await targets());
    },
  );

  test.each(databaseNames)(
    "while the %s database is away for five seconds",
    async (name) => {
      await small.control.stopDatabase(name);
      await delay(5000);
      await small.control.resumeDatabase(name);
    },
    120_000,
  );
});

async function targets() {
  const { zone } = small;
  return {
    zone: zone.control.remote,
    zoneName: zone.name,
    fleet: zone.fleet,
    crowd: zone.crowd.remote,
    population: zone.population,
    door: zone.door,
    roomIds: zone.roomIds,
    databases: [...databaseNames],
  };
}

test("who goes while control is killed holds nothing for long after", async () => {
  const sessions = await small.control.count("session");
  const away = targets().then((all) =>
    inject({ kind: "control-restart", atMs: 0, forMs: 3000, host: 0, which: 0 }, all),
  );
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
