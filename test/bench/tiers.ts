import { readSettings } from "#schema/settings.ts";
import { openFleet } from "#test/sim/fleet.ts";
import { figuresOf, sumUp } from "#test/sim/measure.ts";
import { newPolicy } from "#test/sim/policies.ts";
import { World } from "#test/sim/world.ts";
import { type Bench, main, type Row } from "./report.ts";

/** The consumer workers that each tier from 1 on must fit, by the weight model. */
const tierWorkers = [1, 4, 8, 16, 32, 64];

const columns = [
  { key: "tier", title: "tier" },
  { key: "workers", title: "workers" },
  { key: "points", title: "points" },
  { key: "refusals", title: "refusals" },
  { key: "pipesPerBroadcast", title: "pipes/broadcast", digits: 2 },
  { key: "transportsPerViewer", title: "transports/viewer", digits: 2 },
];

/** A full room of one tier on exactly as many workers as its weight comes to. */
function fillTier(tier: number): Row {
  const settings = readSettings();
  const size = settings.tiers[tier];
  if (!size) throw new Error(`There is no tier ${tier}.`);
  const { pointsPerWorker, seatsPerPoint } = settings.weight;
  const places = pointsPerWorker * seatsPerPoint.camera;
  const workers = Math.ceil((size.broadcasts * size.viewers) / places);
  const picture = openFleet(settings, { cameraConsumers: workers, cameraProducers: 2 });
  const world = new World(picture, newPolicy("slot-packing"));
  let refusals = 0;
  for (let at = 0; at < size.viewers; at += 1) {
    const session = world.join("room", `session${at}`, size);
    if (at < size.broadcasts && !world.broadcast(session, "camera")) refusals += 1;
  }
  const sums = sumUp(world);
  const { pipesPerBroadcast, transportsPerViewer } = figuresOf([sums]);
  return {
    tier,
    workers,
    points: sums.points,
    refusals: refusals + world.refused,
    pipesPerBroadcast,
    transportsPerViewer,
  };
}

export const bench: Bench = {
  name: "tiers",
  title:
    "Each tier filled to its B broadcasts and V viewers, who join one after the other.",
  columns,
  plots: [
    { title: "Pipes per broadcast", label: ["tier"], value: "pipesPerBroadcast" },
    { title: "Transports per viewer", label: ["tier"], value: "transportsPerViewer" },
  ],
  run: (_, progress) => {
    progress.start(tierWorkers.length);
    return tierWorkers.map((_workers, at) => {
      const row = fillTier(at + 1);
      progress.step();
      return row;
    });
  },
  misses: (rows) =>
    rows.flatMap((row, at) => {
      const missed: string[] = [];
      const workers = tierWorkers[at];
      if (row.workers !== workers)
        missed.push(`Tier ${row.tier} takes ${workers} workers.`);
      if (row.refusals !== 0)
        missed.push(`Tier ${row.tier} had ${row.refusals} refusals.`);
      return missed;
    }),
};

if (import.meta.main) await main(bench);
