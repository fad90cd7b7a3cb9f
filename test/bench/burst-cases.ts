import type { RoomSize } from "#control/placement/decision.ts";
import { pointsOf } from "#control/placement/weight.ts";
import type { Settings } from "#schema/settings.ts";
import { Random } from "#test/sim/random.ts";
import type { Row } from "./report.ts";

/** Joins of one room that come faster than load reports do. */
export interface BurstCase {
  name: string;
  size: RoomSize;
  /** Points that other rooms hold on each of the fleet's consumer workers. */
  takenPoints: readonly number[];
  /** When each session joins, in milliseconds, first to last. */
  joinsAtMs: readonly number[];
}

/**
 * The cases. The first has the shape of a meeting that everyone enters as it
 * starts, 92 people within 31 seconds and half of them within the first five;
 * the second is the worst that can be. Other rooms are on the workers already,
 * and what they leave is a tenth more than the burst needs.
 */
export function burstCases(seed: number, settings: Settings): BurstCase[] {
  const random = new Random(seed);
  const joins = Array.from({ length: 92 }, () => Math.min(31_000, random.wait(1 / 7000)));
  const inTime = joins.sort((a, b) => a - b);
  const atOnce = Array.from({ length: 64 }, () => 0);
  return [
    newCase("92-in-31-s", 6, inTime, random, settings),
    newCase("64-at-once", 12, atOnce, random, settings),
  ];
}

function newCase(
  name: string,
  broadcasts: number,
  joinsAtMs: readonly number[],
  random: Random,
  settings: Settings,
): BurstCase {
  const { pointsPerWorker, seatsPerPoint } = settings.weight;
  const viewers = joinsAtMs.length;
  const needed = broadcasts * pointsOf(viewers, seatsPerPoint.camera);
  const takenPoints: number[] = [];
  for (let free = 0; free < 1.1 * needed; ) {
    const taken = random.between(2, pointsPerWorker - 1);
    takenPoints.push(taken);
    free += pointsPerWorker - taken;
  }
  return { name, size: { broadcasts, viewers }, takenPoints, joinsAtMs };
}

/** One way to place a burst: Weir's real broker, its policy, or something else. */
export interface BurstRunner {
  policy: string;
  run(burst: BurstCase, seed: number): BurstResult | Promise<BurstResult>;
}

export interface BurstResult {
  overshotWorkers: number;
  /** The most points on a worker over the points that it has. */
  worstLoad: number;
  /** Commits that the burst took; null where there is no database. */
  roundTrips: number | null;
  pointsOverBound: number;
}

export function burstRow(burst: BurstCase, policy: string, result: BurstResult): Row {
  return { case: burst.name, policy, ...result };
}
