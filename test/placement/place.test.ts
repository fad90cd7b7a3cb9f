import { describe, expect, test } from "vitest";
import { placeViews } from "#control/placement/place.ts";
import {
  byBroadcast,
  codes,
  goLive,
  pictureOf,
  seat,
  snapshotOf,
  want,
} from "./fixtures.ts";

const producer = { id: "p.1", role: "producer" } as const;

describe("free seats", () => {
  test("a free seat is taken before a point is paid for", () => {
    const picture = pictureOf([producer, { id: "a.1" }, { id: "b.1" }]);
    goLive(picture, "p.1", ["one"]);
    seat(picture, "one", "a.1", 5);
    const answer = placeViews(want(["one"]), picture);
    expect(byBroadcast(answer)).toEqual({ one: "a.1 free-seat" });
    expect(answer.placed[0]).toMatchObject({
      points: 0,
      opensPipe: false,
      considered: 1,
    });
  });

  test("the viewer's own worker gives its free seat first, though another covers more", () => {
    const picture = pictureOf([producer, { id: "a.1" }, { id: "b.1" }]);
    goLive(picture, "p.1", ["one", "two"]);
    seat(picture, "one", "a.1", 1);
    seat(picture, "one", "b.1", 1);
    seat(picture, "two", "b.1", 1);
    const answer = placeViews(want(["one", "two"], ["a.1"]), picture);
    expect(byBroadcast(answer)).toEqual({
      one: "a.1 free-seat-own-worker",
      two: "b.1 free-seat",
    });
  });

  test("the worker that covers most comes first, so that a viewer has few transports", () => {
    const picture = pictureOf([producer, { id: "a.1" }, { id: "b.1" }]);
    goLive(picture, "p.1", ["one", "two", "three"]);
    for (const id of ["one", "two"]) seat(picture, id, "b.1", 1);
    seat(picture, "one", "a.1", 1);
    seat(picture, "three", "b.1", 1);
    const answer = placeViews(want(["one", "two", "three"]), picture);
    expect(new Set(answer.placed.map((view) => view.workerId))).toEqual(new Set(["b.1"]));
  });

  test("another room's free seat is not this room's", () => {
    const picture = pictureOf([producer, { id: "a.1" }]);
    goLive(picture, "p.1", ["one"]);
    seat(picture, "one", "a.1", 1, "other-room");
    const [view] = placeViews(want(["one"]), picture).placed;
    expect(view).toMatchObject({
      points: 1,
      opensPipe: false,
      rule: "point-beside-pipe",
    });
  });

  test.each([
    ["closed", { id: "a.1", open: false }, {}],
    ["on a cordoned node", { id: "a.1" }, { a: { open: false } }],
    ["on a host without egress", { id: "a.1" }, { a: { egressKbps: 5 * 880 } }],
  ])("a free seat on a worker %s is passed over", (_, worker, nodes) => {
    const picture = pictureOf([producer, worker, { id: "b.1" }], nodes);
    goLive(picture, "p.1", ["one"]);
    seat(picture, "one", "a.1", 5);
    expect(placeViews(want(["one"]), picture).placed[0]?.workerId).toBe("b.1");
  });
});

describe("new points", () => {
  test("a slot grows where its pipe is before it opens another", () => {
    const picture = pictureOf([producer, { id: "a.1" }, { id: "b.1", taken: 1 }]);
    goLive(picture, "p.1", ["one"]);
    seat(picture, "one", "b.1", 6);
    const answer = placeViews(want(["one"]), picture);
    expect(byBroadcast(answer)).toEqual({ one: "b.1 point-beside-pipe" });
  });

  test("a lingering pipe is revived, a closing one is not counted on", () => {
    const picture = pictureOf([producer, { id: "a.1" }, { id: "b.1" }, { id: "c.1" }]);
    goLive(picture, "p.1", ["one", "two"]);
    const pipe = { producerWorkerId: "p.1", generation: 1, legs: 2 };
    const lingers = { broadcastId: "one", consumerWorkerId: "b.1", state: "lingering" };
    const closes = { broadcastId: "two", consumerWorkerId: "c.1", state: "closing" };
    picture.putPipe({ ...pipe, ...lingers, state: "lingering" });
    picture.putPipe({ ...pipe, ...closes, state: "closing" });
    const one = placeViews(want(["one"]), picture).placed[0];
    expect(one).toMatchObject({ workerId: "b.1", opensPipe: false });
    const two = placeViews(want(["two"], ["a.1"]), picture).placed[0];
    expect(two).toMatchObject({ workerId: "a.1", opensPipe: true });
  });

  test("a new broadcast comes to the worker that already carries the viewer", () => {
    const picture = pictureOf([producer, { id: "a.1", taken: 9 }, { id: "b.1" }]);
    goLive(picture, "p.1", ["one"]);
    const answer = placeViews(want(["one"], ["a.1"]), picture);
    expect(byBroadcast(answer)).toEqual({ one: "a.1 point-own-worker" });
  });

  test("a worker of the room comes before an emptier one", () => {
    const picture = pictureOf([producer, { id: "a.1", taken: 9 }, { id: "b.1" }]);
    goLive(picture, "p.1", ["one", "two"]);
    seat(picture, "one", "a.1", 6);
    const answer = placeViews(want(["two"]), picture);
    expect(byBroadcast(answer)).toEqual({ two: "a.1 point-in-room" });
  });

  test("a room without a worker starts on the one with most room to grow", () => {
    const picture = pictureOf([
      producer,
      { id: "a.1", taken: 3 },
      { id: "b.1", taken: 1 },
      { id: "c.1", taken: 2 },
    ]);
    goLive(picture, "p.1", ["one"]);
    const answer = placeViews(want(["one"]), picture);
    expect(byBroadcast(answer)).toEqual({ one: "b.1 point-most-room" });
    expect(answer.placed[0]?.considered).toBe(3);
  });

  test("a screen opens on the fullest screen worker that will hold all of it", () => {
    const picture = pictureOf([
      producer,
      { id: "a.1", media: "screen" },
      { id: "b.1", media: "screen", taken: 6 },
      { id: "c.1", media: "screen", taken: 7 },
      { id: "d.1" },
    ]);
    goLive(picture, "p.1", ["screen"], "screen");
    const roomSize = { broadcasts: 6, viewers: 12 };
    const answer = placeViews({ ...want(["screen"]), roomSize }, picture);
    expect(byBroadcast(answer)).toEqual({ screen: "b.1 point-best-fit" });
  });

  test("one request never takes more of a worker than the worker has", () => {
    const picture = pictureOf([
      producer,
      { id: "a.1", taken: 9 },
      { id: "b.1", taken: 11 },
    ]);
    const ids = ["1", "2", "3", "4", "5"];
    goLive(picture, "p.1", ids);
    const answer = placeViews(want(ids), picture);
    const on = (id: string) =>
      answer.placed.filter((view) => view.workerId === id).length;
    expect([on("a.1"), on("b.1"), codes(answer)]).toEqual([
      3,
      1,
      ["no-consumer-capacity"],
    ]);
  });

  test("another room's reservation is not free, the room's own is", () => {
    const picture = pictureOf([
      producer,
      { id: "a.1", taken: 12 },
      { id: "b.1", taken: 10 },
    ]);
    goLive(picture, "p.1", ["1", "2", "3"]);
    picture.setReservation({ roomId: "room", workerId: "b.1", points: 2 });
    const answer = placeViews(want(["1", "2", "3"]), picture);
    expect(byBroadcast(answer)).toEqual({
      1: "b.1 reserved-point",
      2: "b.1 reserved-point",
    });
    expect(codes(answer)).toEqual(["no-consumer-capacity"]);
    expect(answer.placed[0]).toMatchObject({
      considered: 1,
      passedOver: { "no-free-point": 1 },
    });
  });
});

test("deciding changes nothing in the picture", () => {
  const picture = pictureOf([producer, { id: "a.1" }, { id: "b.1", taken: 5 }]);
  const ids = Array.from({ length: 30 }, (_, at) => `b${at}`);
  goLive(picture, "p.1", ids);
  seat(picture, "b0", "a.1", 3);
  const before = snapshotOf(picture);
  placeViews(want(ids), picture);
  expect(snapshotOf(picture)).toEqual(before);
});
