import { describe, expect, test } from "vitest";
import { checkPicture } from "#control/placement/invariants.ts";
import { placeViews } from "#control/placement/place.ts";
import { readSettings, type SettingsInput } from "#schema/settings.ts";
import { openFleet } from "#test/sim/fleet.ts";
import { Random } from "#test/sim/random.ts";
import { type Policy, World } from "#test/sim/world.ts";

/** Placement as it is, and as it is for a caller that does not know the tier. */
const policies: Record<string, Policy> = {
  "knowing the tier": { name: "slot-packing", place: placeViews },
  "not knowing the tier": {
    name: "slot-packing",
    place: (request, picture) => placeViews({ ...request, roomSize: undefined }, picture),
  },
};
const profiles: Record<string, SettingsInput> = {
  "6 seats and 12 points": {},
  "12 seats and 6 points": {
    weight: { pointsPerWorker: 6, seatsPerPoint: { camera: 12 } },
  },
};
const cases = Object.keys(policies).flatMap((policy) =>
  Object.keys(profiles).map((profile) => ({ policy, profile })),
);

describe.each(cases)("$profile, $policy", ({ policy, profile }) => {
  test.each([
    [1, 1],
    [2, 4],
    [3, 8],
    [4, 16],
    [5, 32],
    [6, 64],
  ])(
    "tier %i fills %i consumer workers to the last seat, whoever broadcasts when",
    (tier, workers) => {
      const settings = readSettings(profiles[profile]);
      const size = settings.tiers[tier];
      if (!size) throw new Error(`There is no tier ${tier}.`);
      const picture = openFleet(settings, {
        cameraConsumers: workers,
        cameraProducers: 2,
      });
      const world = new World(picture, policies[policy] as Policy);
      const random = new Random(tier);
      let toGoLive = size.broadcasts;
      for (let at = 0; at < size.viewers; at += 1) {
        const session = world.join("room", `session${at}`, size);
        const mustGoLive = toGoLive === size.viewers - at;
        if (toGoLive === 0 || !(mustGoLive || random.next() < 0.6)) continue;
        toGoLive -= 1;
        expect(world.broadcast(session, "camera")).toBe(true);
      }
      expect(world.refused).toBe(0);
      const views = [...world.sessions.values()].reduce(
        (sum, each) => sum + each.views.size,
        0,
      );
      expect(views).toBe(size.broadcasts * (size.viewers - 1));
      expect(checkPicture(picture)).toEqual([]);
    },
  );
});
