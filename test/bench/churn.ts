import { readSettings } from "#schema/settings.ts";
import { openFleet } from "#test/sim/fleet.ts";
import { figuresOf, type Sums, sumUp } from "#test/sim/measure.ts";
import { newPolicy, type PolicyName, policyNames } from "#test/sim/policies.ts";
import { Trace } from "#test/sim/trace.ts";
import { World } from "#test/sim/world.ts";
import type { Progress } from "./progress.ts";
import { type Bench, main, type Row } from "./report.ts";

const consumerWorkers = 256;
const producerWorkers = 256;
const loads = [0.9, 1];
/** Events between two looks at what the placement costs. */
const sampleEvery = 200;

/** Runs a trace under one policy; figures count from when the load is reached. */
function replay(policy: PolicyName, trace: Trace) {
  const settings = readSettings();
  const points = consumerWorkers * settings.weight.pointsPerWorker;
  const picture = openFleet(settings, {
    cameraConsumers: policy === "ideal" ? 1 : consumerWorkers,
    cameraProducers: producerWorkers,
    pointsPerWorker: policy === "ideal" ? points : settings.weight.pointsPerWorker,
  });
  const world = new World(picture, newPolicy(policy));
  const samples: Sums[] = [];
  let before = { asked: 0, refused: 0 };
  trace.events.forEach((event, at) => {
    if (at === trace.warmUp) before = { asked: world.asked, refused: world.refused };
    if (event.type === "leave") world.leave(event.sessionId);
    else {
      const session = world.join(event.roomId, event.sessionId, event.size);
      if (event.broadcasts && !world.broadcast(session, "camera")) {
        throw new Error("The fleet has too few producer workers.");
      }
    }
    if (at >= trace.warmUp && at % sampleEvery === 0) samples.push(sumUp(world));
  });
  const movedShare = world.moved / world.asked;
  const refusedShare = (world.refused - before.refused) / (world.asked - before.asked);
  return { ...figuresOf(samples), refusedShare, movedShare };
}

function rowsOf(load: number, seed: number, events: number, progress: Progress): Row[] {
  const settings = readSettings();
  const points = consumerWorkers * settings.weight.pointsPerWorker;
  const trace = new Trace({ seed, settings, points, load, events });
  const results = policyNames.map((policy) => {
    const figures = replay(policy, trace);
    progress.step();
    return { policy, figures };
  });
  const ideal = results.find(({ policy }) => policy === "ideal");
  return results.map(({ policy, figures }) => ({
    policy,
    load,
    pointsOverBound: figures.pointsOverBound,
    refusedShare: figures.refusedShare,
    idealRefusedShare: ideal?.figures.refusedShare ?? null,
    movedShare: figures.movedShare,
    // One giant worker has no pipes or transports worth comparing.
    pipesPerBroadcast: policy === "ideal" ? null : figures.pipesPerBroadcast,
    transportsPerViewer: policy === "ideal" ? null : figures.transportsPerViewer,
    pipeTransportOverBound: policy === "ideal" ? null : figures.pipeTransportOverBound,
  }));
}

export const bench: Bench = {
  name: "churn",
  title: "The same joins and leaves for every policy, at 90 % and 100 % of the points.",
  columns: [
    { key: "policy", title: "policy" },
    { key: "load", title: "load", percent: true, digits: 0 },
    { key: "pointsOverBound", title: "points/bound", digits: 4 },
    { key: "refusedShare", title: "refused", percent: true },
    { key: "idealRefusedShare", title: "ideal refused", percent: true },
    { key: "movedShare", title: "moved", percent: true },
    { key: "pipesPerBroadcast", title: "pipes/broadcast", digits: 2 },
    { key: "transportsPerViewer", title: "transports/viewer", digits: 2 },
    { key: "pipeTransportOverBound", title: "product/bound", digits: 2 },
  ],
  plots: [
    { title: "Views refused", label: ["policy", "load"], value: "refusedShare" },
    {
      title: "Points over the bound",
      label: ["policy", "load"],
      value: "pointsOverBound",
    },
  ],
  run: ({ seed, long }, progress) => {
    progress.start(loads.length * policyNames.length);
    return loads.flatMap((load) => rowsOf(load, seed, long ? 100_000 : 12_000, progress));
  },
  misses: (rows) => {
    const row = rows.find((each) => each.policy === "slot-packing" && each.load === 0.9);
    if (!row) return ["There is no row for slot-packing at 90 %."];
    const missed: string[] = [];
    const above = Number(row.refusedShare) - Number(row.idealRefusedShare);
    if (!(Number(row.pointsOverBound) <= 1.03))
      missed.push("Points are over 1.03 x the bound.");
    if (!(above <= 0.002))
      missed.push("Refusals are over the ideal by more than 0.2 points.");
    if (!(Number(row.pipeTransportOverBound) <= 4)) {
      missed.push("Pipes x transports are over 4 x their bound.");
    }
    return missed;
  },
};

if (import.meta.main) await main(bench);
