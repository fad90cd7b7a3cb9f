import { describe, expect, test } from "vitest";
import { type Move, planFreedPoint } from "#control/placement/defragment.ts";
import { explainGrounds, explainPassedOver } from "#control/placement/explain.ts";
import { checkPicture } from "#control/placement/invariants.ts";
import type { Picture } from "#control/placement/picture.ts";
import { placeViews } from "#control/placement/place.ts";
import { roomWaste } from "#control/placement/waste.ts";
import { goLive, pictureOf, seat, want } from "./fixtures.ts";

const producer = { id: "p.1", role: "producer" } as const;

/** Carries moves out: the new seat first, then the old one goes. */
function carryOut(picture: Picture, moves: readonly Move[]): void {
  for (const { roomId, broadcastId, fromWorkerId, toWorkerId, views } of moves) {
    seat(picture, broadcastId, toWorkerId, views, roomId);
    picture.changeSeats(roomId, broadcastId, fromWorkerId, -views);
    if (picture.slot(roomId, broadcastId, fromWorkerId)) continue;
    picture.dropPipe(broadcastId, fromWorkerId);
  }
}

describe("freeing a point", () => {
  test("takes the fewest moves, and gives the point back", () => {
    const picture = pictureOf([producer, { id: "a.1" }, { id: "b.1" }, { id: "c.1" }]);
    goLive(picture, "p.1", ["one"]);
    seat(picture, "one", "a.1", 4);
    seat(picture, "one", "b.1", 2);
    seat(picture, "one", "c.1", 3);
    expect(roomWaste(picture, "room")).toEqual({ points: 3, bound: 2, wasted: 1 });
    const freed = planFreedPoint(picture, "camera");
    expect(freed).toMatchObject({ workerId: "b.1", views: 2 });
    carryOut(picture, freed?.moves ?? []);
    expect(roomWaste(picture, "room")).toEqual({ points: 2, bound: 2, wasted: 0 });
    expect(checkPicture(picture)).toEqual([]);
    expect(planFreedPoint(picture, "camera")).toBeUndefined();
  });

  test("never moves more than five views for one point", () => {
    const picture = pictureOf(
      [producer, { id: "a.1" }, { id: "b.1" }],
      {},
      {
        weight: { seatsPerPoint: { camera: 12 } },
      },
    );
    goLive(picture, "p.1", ["one"]);
    for (const id of ["a.1", "b.1"]) seat(picture, "one", id, 6);
    expect(planFreedPoint(picture, "camera")).toBeUndefined();
    expect(planFreedPoint(picture, "camera", 6)).toMatchObject({ views: 6 });
  });

  test("leaves alone a point that a room has reserved", () => {
    const picture = pictureOf([producer, { id: "a.1" }, { id: "b.1" }]);
    goLive(picture, "p.1", ["one"]);
    for (const id of ["a.1", "b.1"]) {
      picture.setReservation({ roomId: "room", workerId: id, points: 1 });
      seat(picture, "one", id, 3);
    }
    expect(planFreedPoint(picture, "camera")).toBeUndefined();
  });
});

describe("explaining", () => {
  test("every decision's grounds become whole sentences without an unknown rule", () => {
    const picture = pictureOf([producer, { id: "a.1" }, { id: "b.1", taken: 12 }]);
    goLive(picture, "p.1", ["one"]);
    const [view] = placeViews(want(["one"]), picture).placed;
    if (!view) throw new Error("It has to fit.");
    expect(explainGrounds(view)).toEqual([
      "A new point was opened on the worker with most room to grow.",
      "It was the only worker that could have served.",
      "Passed over: 1 worker had no free point.",
    ]);
  });

  test("nothing passed over is not spoken of", () => {
    expect(explainPassedOver({ closed: 0 })).toEqual([]);
  });
});
