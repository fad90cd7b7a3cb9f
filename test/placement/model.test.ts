import fc from "fast-check";
import { describe, test } from "vitest";
import { readSettings, type SettingsInput } from "#schema/settings.ts";
import { type FleetShape, openFleet } from "#test/sim/fleet.ts";
import { newReal, steps } from "./model.ts";

const small: FleetShape = {
  cameraConsumers: 4,
  screenConsumers: 1,
  cameraProducers: 3,
  screenProducers: 1,
  coresPerNode: 2,
};

const profiles: [string, SettingsInput, FleetShape][] = [
  ["the default profile", {}, small],
  [
    "the source design's first profile, 12 seats and 6 points",
    { weight: { pointsPerWorker: 6, seatsPerPoint: { camera: 12 } } },
    small,
  ],
  ["hosts whose network runs out first", {}, { ...small, nodeKbps: 12_000 }],
  ["producer workers with few legs", { weight: { legsPerProducerWorker: 12 } }, small],
];

describe("whatever happens, nothing is over its mark and every total is its rows' sum", () => {
  test.each(profiles)("with %s", (_, settings, shape) => {
    fc.assert(
      fc.property(fc.commands(steps, { maxCommands: 120, size: "max" }), (commands) => {
        const picture = openFleet(readSettings(settings), shape);
        fc.modelRun(() => ({ model: {}, real: newReal(picture) }), commands);
      }),
      { numRuns: 50 },
    );
  });
});
