import fc from "fast-check";
import { expect, test } from "vitest";
import type { SettingsInput } from "#schema/settings.ts";
import { startZone, stopZone, type Traffic, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkPictureEqualsDatabase } from "./check-picture.ts";
import type { HostOptions } from "./people.ts";
import { type Act, drastic, filling, ordinary } from "./random-acts.ts";
import { RandomWorld } from "./random-world.ts";
import { checkReplay } from "./replay.ts";

/*
 * Random walks over everything that a broker can be asked, several requests at
 * a time. After every step the database is judged by its rows alone, and the
 * running broker must know exactly what a new one would read.
 */

// A failure prints its seed and path; this one makes runs comparable.
const seed = Number(process.env.WEIR_TEST_SEED ?? 20_260_101);
// Multiplies the walks, for a longer search than every run can afford.
const effort = Number(process.env.WEIR_TEST_EFFORT ?? 1);
const limitMs = 180_000 * effort;

type Step =
  | { step: "ask"; together: Act[] }
  | { step: "advance"; ms: number }
  | { step: "evict" }
  | { step: "lose"; what: Traffic; how: "drop-before" | "drop-after"; together: Act[] };

const act: fc.Arbitrary<Act> = fc.record({
  act: fc.oneof(
    { weight: 14, arbitrary: fc.constantFrom(...filling) },
    { weight: 6, arbitrary: fc.constantFrom(...ordinary) },
    { weight: 1, arbitrary: fc.constantFrom(...drastic) },
  ),
  a: fc.nat(15),
  b: fc.nat(50),
});
const together = fc.array(act, { minLength: 1, maxLength: 8 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ step: fc.constant("ask" as const), together }) },
  {
    weight: 2,
    arbitrary: fc.record({
      step: fc.constant("advance" as const),
      ms: fc.constantFrom(1000, 5000, 10_000, 15_000, 30_000, 60_000),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ step: "evict" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      step: fc.constant("lose" as const),
      what: fc.constantFrom<Traffic[]>("commit", "commit", "fence", "read"),
      how: fc.constantFrom("drop-before" as const, "drop-after" as const),
      together,
    }),
  },
);

async function walk(
  zone: Zone,
  hosts: HostOptions[],
  steps: Step[],
  heard: Map<string, number>,
  capped: boolean,
): Promise<void> {
  const world = new RandomWorld(zone, hosts, capped);
  await world.start();
  for (const [at, one] of steps.entries()) {
    await take(zone, world, one);
    const wrong = [
      ...(await checkLedger(zone.eye, zone.settings)),
      ...(await checkPictureEqualsDatabase(zone)),
      ...(await checkReplay(zone.eye)),
    ];
    if (wrong.length > 0) {
      throw new Error(`After step ${at} (${JSON.stringify(one)}):\n${wrong.join("\n")}`);
    }
  }
  for (const [what, times] of world.heard)
    heard.set(what, (heard.get(what) ?? 0) + times);
}

async function take(zone: Zone, world: RandomWorld, one: Step): Promise<void> {
  switch (one.step) {
    case "ask":
      await Promise.all(one.together.map((each) => world.run(each)));
      return;
    case "advance":
      return zone.advance(one.ms);
    case "evict":
      zone.evict();
      return;
    case "lose": {
      // Only a new broker fences and reads.
      if (one.what !== "commit") zone.evict();
      let lost = false;
      zone.faults = (traffic) => {
        if (lost || traffic !== one.what) return "none";
        lost = true;
        return one.how;
      };
      await Promise.all(one.together.map((each) => world.run(each)));
      zone.faults = () => "none";
    }
  }
}

/**
 * Walks many times; a failing walk is made as short as it can be.
 * @returns the kinds of answers heard, which say whether the walks went anywhere
 */
async function walkAll(
  settings: SettingsInput,
  hosts: HostOptions[],
  runs: number,
  capped = false,
): Promise<string[]> {
  const heard = new Map<string, number>();
  const steps = fc.array(step, { minLength: 10, maxLength: 30, size: "max" });
  await fc.assert(
    fc.asyncProperty(steps, async (path) => {
      const zone = await startZone({ settings });
      await walk(zone, hosts, path, heard, capped).finally(() => stopZone(zone));
    }),
    // A failure is told in time, though it could have been made shorter.
    { seed, numRuns: runs * effort, interruptAfterTimeLimit: (limitMs * 2) / 3 },
  );
  return [...heard.keys()];
}

const everyKind = [
  "producer",
  "consumer",
  "consumer",
  "screen-producer",
  "screen-consumer",
] as const;

test(
  "whatever is asked, no mark is passed and every total is the sum of its rows",
  async () => {
    const hosts: HostOptions[] = [
      { name: "a", workers: [...everyKind], points: 3 },
      { name: "b", workers: ["producer", "consumer", "screen-consumer"], points: 2 },
    ];
    const heard = await walkAll({}, hosts, 18, true);
    expect(heard).toContain("view no-consumer-capacity");
    expect(heard).toContain("claimBroadcast no-producer-capacity");
    expect(heard).toContain("showBroadcast ok");
    expect(heard).toContain("workerDied ok");
    for (const what of ["createRoom", "enterRoom", "view"]) {
      expect(heard).toContain(`${what} account-cap-exceeded`);
    }
  },
  limitMs,
);

test(
  "where bandwidth and legs are scarce, none is overdrawn either",
  async () => {
    const hosts: HostOptions[] = [
      { name: "a", workers: ["producer", "producer", "consumer"], egressKbps: 3500 },
      {
        name: "b",
        workers: ["consumer", "consumer", "producer"],
        ingressKbps: 4000,
        egressKbps: 4500,
      },
    ];
    const weight = { legsPerProducerWorker: 4, seatsPerPoint: { camera: 2 } };
    const heard = await walkAll({ weight }, hosts, 15);
    expect(heard).toContain("view no-pipe-capacity");
    expect(heard.some((what) => what.endsWith(" egress-exhausted"))).toBe(true);
  },
  limitMs,
);

test(
  "where rooms reserve their tiers, nobody is given what another has reserved",
  async () => {
    const hosts: HostOptions[] = [
      { name: "a", workers: ["producer", ...everyKind], points: 2 },
      { name: "b", workers: [...everyKind], points: 2 },
    ];
    const tiers: SettingsInput["tiers"] = [
      { broadcasts: 0, viewers: 6 },
      { broadcasts: 2, viewers: 6 },
      { broadcasts: 3, viewers: 9, producer: "shared" },
    ];
    const heard = await walkAll({ tiers }, hosts, 18);
    expect(heard).toContain("openReserved ok");
    expect(heard).toContain("changeRoom ok");
    expect(heard.some((what) => what.endsWith(" reservation-refused"))).toBe(true);
  },
  limitMs,
);
