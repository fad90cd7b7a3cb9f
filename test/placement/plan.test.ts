import { describe, expect, test } from "vitest";
import { planFleet, roomNeed } from "#control/placement/plan.ts";
import { readSettings } from "#schema/settings.ts";

const settings = readSettings();
const hosts = { settings, coresPerHost: 32, hostEgressKbps: 10_000_000 };

describe("the tier table comes out of the weight model", () => {
  // tier, consumers 2B(V-1), consumer workers BV/72, weight BV/6, producer workers
  test.each([
    [0, 0, 0, 0, 0],
    [1, 132, 1, 12, 1],
    [2, 552, 4, 48, 1],
    [3, 1128, 8, 96, 1],
    [4, 2256, 16, 192, 1],
    [5, 4560, 32, 384, 1],
    [6, 9120, 64, 768, 2],
  ])(
    "tier %i: %i consumers, %i consumer workers, %i points, %i producers",
    (tier, consumers, workers, points, producers) => {
      const mix = [{ tier, rooms: 1 }];
      const plan = planFleet({ ...hosts, mix, screensPerRoom: 0 });
      expect([
        plan.consumers,
        plan.workers.consumer,
        plan.points,
        plan.workers.producer,
      ]).toEqual([consumers, workers, points, producers]);
    },
  );

  test("with 12 seats and 6 points a core carries the same 72 views", () => {
    const weight = { pointsPerWorker: 6, seatsPerPoint: { camera: 12 } };
    const first = readSettings({ weight });
    const mix = [{ tier: 6, rooms: 1 }];
    const plan = planFleet({ ...hosts, settings: first, mix, screensPerRoom: 0 });
    expect(plan.workers.consumer).toBe(64);
  });
});

describe("a fleet's plan", () => {
  test("rounds up once for the whole fleet, not once a room", () => {
    const mix = [{ tier: 2, rooms: 10 }];
    const plan = planFleet({ ...hosts, mix, screensPerRoom: 1 });
    // A screen for 23 viewers is 12 points, one worker; ten are produced on one.
    expect(plan.workers).toEqual({ producer: 10, consumer: 40, screen: 11, total: 61 });
    expect([plan.hosts, plan.bindingLimit]).toEqual([2, "cores"]);
  });

  test("names the network where that asks for more hosts than the cores do", () => {
    const mix = [{ tier: 4, rooms: 4 }];
    const plan = planFleet({ ...hosts, mix, hostEgressKbps: 1_000_000 });
    expect(plan.bindingLimit).toBe("egress");
    expect(plan.hosts).toBe(Math.ceil((plan.egressMbps + plan.pipeMbps) / 1000));
  });

  test("a tier 1 room sends 58 Mbit/s, 0.63 TB a day", () => {
    const plan = planFleet({ ...hosts, mix: [{ tier: 1, rooms: 1 }], screensPerRoom: 0 });
    expect(plan.egressMbps).toBeCloseTo(58.08, 2);
    expect(plan.terabytesPerDay).toBeCloseTo(0.627, 3);
  });

  test("a tier whose cameras share producer workers counts them by their broadcasts", () => {
    const tiers = [{ broadcasts: 6, viewers: 12, producer: "shared" as const }];
    const shared = readSettings({ tiers });
    const plan = planFleet({ ...hosts, settings: shared, mix: [{ tier: 0, rooms: 10 }] });
    expect(plan.workers.producer).toBe(2);
  });

  test("a tier that there is not is an error", () => {
    expect(() => roomNeed(7, settings)).toThrow(RangeError);
  });
});
