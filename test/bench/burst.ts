import { pointsOf } from "#control/placement/weight.ts";
import { readSettings } from "#schema/settings.ts";
import { openFleet } from "#test/sim/fleet.ts";
import { sumUp } from "#test/sim/measure.ts";
import { newPolicy } from "#test/sim/policies.ts";
import { Random } from "#test/sim/random.ts";
import { World } from "#test/sim/world.ts";
import { realBroker } from "./burst-broker.ts";
import { type BurstCase, type BurstRunner, burstCases, burstRow } from "./burst-cases.ts";
import { type Bench, main } from "./report.ts";

const settings = readSettings();
const reportEveryMs = 5000;

/** Every claim counts from the moment it is granted, as in one broker per zone. */
const slotPacking: BurstRunner = {
  policy: "slot-packing",
  run(burst) {
    const picture = openFleet(settings, {
      cameraConsumers: burst.takenPoints.length,
      cameraProducers: 1,
    });
    const consumers = [...picture.workers.values()].filter(
      (each) => each.role === "consumer",
    );
    consumers.forEach(({ id: workerId }, at) => {
      const points = burst.takenPoints[at] ?? 0;
      picture.setReservation({ roomId: "elsewhere", workerId, points });
    });
    const world = new World(picture, newPolicy("slot-packing"));
    // The broadcasters watch nobody, so that only the burst's own seats count.
    const stage = Array.from({ length: burst.size.broadcasts }, (_, at) => {
      const session = world.join("room", `broadcaster${at}`, burst.size);
      if (!world.broadcast(session, "camera")) throw new Error("No producer worker.");
      return session;
    });
    for (const session of stage) {
      for (const id of [...session.views.keys()]) world.unwatch(session, id);
    }
    burst.joinsAtMs.forEach((_, at) => {
      world.join("room", `session${at}`, burst.size);
    });
    if (world.refused > 0) throw new Error("The fleet has too little room left.");
    const loads = consumers.map((worker) => worker.pointsUsed / worker.pointsTotal);
    const sums = sumUp(world);
    return {
      overshotWorkers: loads.filter((load) => load > 1).length,
      worstLoad: Math.max(...loads),
      roundTrips: null,
      pointsOverBound: sums.points / sums.bound,
    };
  },
};

/**
 * What selectors without a ledger do: each join goes to the less loaded of two
 * random workers, by loads reported up to five seconds ago. All reports come at
 * the same moment here, and nobody leaves. Load is views over the views that a
 * worker carries, as if it wasted no seat, which is more than it could reach.
 */
const staleTwoChoice: BurstRunner = {
  policy: "stale-two-choice",
  run(burst, seed) {
    const random = new Random(seed);
    const { pointsPerWorker, seatsPerPoint } = settings.weight;
    const viewers = burst.takenPoints.map(() => 0);
    const pointsOn = (worker: number) =>
      burst.size.broadcasts * pointsOf(viewers[worker] ?? 0, seatsPerPoint.camera);
    const places = pointsPerWorker * seatsPerPoint.camera;
    const loadOf = (worker: number) =>
      (burst.takenPoints[worker] ?? 0) / pointsPerWorker +
      ((viewers[worker] ?? 0) * burst.size.broadcasts) / places;
    let reported = viewers.map((_, worker) => loadOf(worker));
    let reportedAtMs = 0;
    for (const joinAtMs of burst.joinsAtMs) {
      if (joinAtMs - reportedAtMs >= reportEveryMs) {
        reported = viewers.map((_, worker) => loadOf(worker));
        reportedAtMs = joinAtMs - (joinAtMs % reportEveryMs);
      }
      const first = random.between(0, viewers.length - 1);
      const second = random.between(0, viewers.length - 1);
      const lighter = (reported[first] ?? 0) <= (reported[second] ?? 0) ? first : second;
      viewers[lighter] = (viewers[lighter] ?? 0) + 1;
    }
    const loads = viewers.map((_, worker) => loadOf(worker));
    const points = viewers.reduce((sum, _, worker) => sum + pointsOn(worker), 0);
    const least = pointsOf(burst.joinsAtMs.length, seatsPerPoint.camera);
    return {
      overshotWorkers: loads.filter((load) => load > 1).length,
      worstLoad: Math.max(...loads),
      roundTrips: null,
      pointsOverBound: points / (burst.size.broadcasts * least),
    };
  },
};

/** Who places the burst; more runners may be added before `bench` runs. */
export const runners: BurstRunner[] = [realBroker, slotPacking, staleTwoChoice];

async function runCase(burst: BurstCase, seed: number) {
  const rows = [];
  for (const runner of runners) {
    rows.push(burstRow(burst, runner.policy, await runner.run(burst, seed)));
  }
  return rows;
}

export const bench: Bench = {
  name: "burst",
  title: "Many joins into one room, faster than any load report.",
  columns: [
    { key: "case", title: "case" },
    { key: "policy", title: "policy" },
    { key: "overshotWorkers", title: "overshot workers" },
    { key: "worstLoad", title: "worst load", percent: true, digits: 0 },
    { key: "roundTrips", title: "round trips" },
    { key: "pointsOverBound", title: "points/bound", digits: 3 },
  ],
  plots: [{ title: "Worst load", label: ["case", "policy"], value: "worstLoad" }],
  run: async ({ seed }, progress) => {
    const cases = burstCases(seed, settings);
    progress.start(cases.length);
    const rows = [];
    for (const burst of cases) {
      rows.push(...(await runCase(burst, seed)));
      progress.step();
    }
    return rows;
  },
  misses: (rows) =>
    rows.flatMap(({ case: name, policy, overshotWorkers, roundTrips }) => {
      const missed: string[] = [];
      if (policy === staleTwoChoice.policy) return missed;
      if (overshotWorkers !== 0)
        missed.push(`${name}: ${policy} overshot ${overshotWorkers} workers.`);
      if (policy === realBroker.policy && name === "64-at-once" && roundTrips !== 2)
        missed.push(`${name}: 64 joins took ${roundTrips} round trips, not 2.`);
      return missed;
    }),
};

if (import.meta.main) await main(bench);
