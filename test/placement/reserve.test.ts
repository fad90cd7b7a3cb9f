import { describe, expect, test } from "vitest";
import { checkPicture } from "#control/placement/invariants.ts";
import type { Picture } from "#control/placement/picture.ts";
import { isReservationRefused, planReservation } from "#control/placement/reserve.ts";
import { readSettings } from "#schema/settings.ts";
import { openFleet } from "#test/sim/fleet.ts";
import { newPolicy } from "#test/sim/policies.ts";
import { World } from "#test/sim/world.ts";
import { pictureOf } from "./fixtures.ts";

/** Plans a reservation and carries it out, as one commit would. */
function reserve(picture: Picture, roomId: string, tier: number) {
  const plan = planReservation({ roomId, tier }, picture);
  if (isReservationRefused(plan)) return plan;
  for (const { workerId, points } of plan.workers) {
    picture.setReservation({ roomId, workerId, points });
  }
  for (const { workerId } of plan.producers) picture.dedicate(workerId, roomId);
  return plan;
}

function reservedIn(picture: Picture, roomId: string): number {
  return [...picture.reservedPoints(roomId).values()].reduce(
    (sum, each) => sum + each,
    0,
  );
}

const fleet = {
  cameraConsumers: 20,
  screenConsumers: 4,
  cameraProducers: 8,
  screenProducers: 1,
  coresPerNode: 4,
};

describe("reservations", () => {
  test.each([
    [1, 12, 6, 1],
    [2, 48, 12, 1],
    [4, 192, 24, 1],
  ])(
    "tier %i keeps its weight of %i points, a screen's %i and its producer worker",
    (tier, camera, screen, producers) => {
      const picture = openFleet(readSettings(), fleet);
      const plan = reserve(picture, "room", tier);
      if (isReservationRefused(plan)) throw new Error("It has to fit.");
      const of = (media: string) =>
        plan.workers
          .filter(({ workerId }) => picture.workers.get(workerId)?.mediaClass === media)
          .reduce((sum, { points }) => sum + points, 0);
      expect([of("camera"), of("screen"), plan.producers.length]).toEqual([
        camera,
        screen,
        producers,
      ]);
      expect(checkPicture(picture)).toEqual([]);
    },
  );

  test("a tier from 31 broadcasts on gets two producer workers", () => {
    const picture = openFleet(readSettings(), {
      ...fleet,
      cameraConsumers: 64,
      screenConsumers: 5,
    });
    expect(reserve(picture, "room", 6)).toMatchObject({
      producers: [{ dedicates: true }, { dedicates: true }],
    });
  });

  test("a refusal names all that is missing and takes nothing", () => {
    const picture = pictureOf([
      { id: "a.1", taken: 3 },
      { id: "a.2", media: "screen", taken: 12 },
    ]);
    expect(reserve(picture, "room", 1)).toEqual({
      code: "reservation-refused",
      missing: { cameraPoints: 3, screenPoints: 6, producerWorkers: 1 },
    });
    expect(reservedIn(picture, "room")).toBe(0);
  });

  test("a tier change keeps every worker that the room has, and takes only the difference", () => {
    const picture = openFleet(readSettings(), fleet);
    reserve(picture, "room", 2);
    const before = new Map(picture.reservedPoints("room"));
    const plan = reserve(picture, "room", 4);
    if (isReservationRefused(plan)) throw new Error("It has to fit.");
    for (const [workerId, points] of before) {
      const kept = plan.workers.find((worker) => worker.workerId === workerId);
      expect(kept).toMatchObject({ before: points });
      expect(kept?.points).toBeGreaterThanOrEqual(points);
    }
    expect(plan.producers.every(({ dedicates }) => !dedicates)).toBe(true);
    expect(reservedIn(picture, "room")).toBe(192 + 24);
  });

  test("a lower tier keeps the workers in use and gives the others back", () => {
    const picture = openFleet(readSettings(), fleet);
    reserve(picture, "room", 4);
    const world = new World(picture, newPolicy("slot-packing"));
    const size = { broadcasts: 6, viewers: 12 };
    for (let at = 0; at < 12; at += 1) {
      const session = world.join("room", `session${at}`, size);
      if (at < 6) world.broadcast(session, "camera");
    }
    const used = [...picture.roomPoints("room").keys()];
    const plan = reserve(picture, "room", 1);
    if (isReservationRefused(plan)) throw new Error("It has to fit.");
    const kept = plan.workers
      .filter(({ points }) => points > 0)
      .map(({ workerId }) => workerId);
    expect(kept).toEqual(expect.arrayContaining(used));
    expect(reservedIn(picture, "room")).toBe(12 + 6);
    expect(checkPicture(picture)).toEqual([]);
  });

  test.each([
    ["points", fleet],
    ["egress", { ...fleet, coresPerNode: 10, nodeKbps: 330_000 }],
  ])(
    "a room with a reservation is never refused within its tier, though the fleet is out of %s",
    (_, shape) => {
      const picture = openFleet(readSettings(), shape);
      reserve(picture, "paid", 2);
      const world = new World(picture, newPolicy("slot-packing"));
      const tier = { broadcasts: 12, viewers: 24 };
      for (let at = 0; world.refused === 0; at += 1) {
        const session = world.join(`free${at % 5}`, `filler${at}`, {
          broadcasts: 24,
          viewers: 96,
        });
        if (at < 60) world.broadcast(session, "camera");
      }
      const before = world.refused;
      for (let round = 0; round < 3; round += 1) {
        for (let at = 0; at < tier.viewers; at += 1) {
          const session = world.join("paid", `guest${round}-${at}`, tier);
          if (at < tier.broadcasts) expect(world.broadcast(session, "camera")).toBe(true);
        }
        // Some leave and others come, so that slots are left half empty.
        for (let at = round; at < tier.viewers; at += 1)
          world.leave(`guest${round}-${at}`);
        for (const session of [...(world.rooms.get("paid")?.sessions ?? [])])
          world.leave(session.id);
      }
      expect(world.refused).toBe(before);
      expect(checkPicture(picture)).toEqual([]);
    },
  );
});
