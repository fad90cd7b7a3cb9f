import { describe, expect, test } from "vitest";
import { placeViews } from "#control/placement/place.ts";
import { byBroadcast, codes, goLive, pictureOf, seat, want } from "./fixtures.ts";

const producer = { id: "p.1", role: "producer" } as const;

describe("refusals", () => {
  test("a screen without a screen worker is refused as such, cameras are not", () => {
    const picture = pictureOf([producer, { id: "a.1" }]);
    goLive(picture, "p.1", ["camera"]);
    goLive(picture, "p.1", ["screen"], "screen");
    const answer = placeViews(want(["screen", "camera"]), picture);
    expect(codes(answer)).toEqual(["no-screen-capacity"]);
    expect(answer.placed).toHaveLength(1);
  });

  test("a producer worker without legs refuses pipes, but not views beside one", () => {
    const picture = pictureOf([
      { ...producer, legs: 2 },
      { id: "a.1", taken: 10 },
      { id: "b.1" },
    ]);
    goLive(picture, "p.1", ["one", "two"]);
    seat(picture, "one", "a.1", 6);
    const answer = placeViews(want(["one", "two"]), picture);
    expect(byBroadcast(answer)).toEqual({ one: "a.1 point-beside-pipe" });
    expect(codes(answer)).toEqual(["no-pipe-capacity"]);
  });

  test("a pipe costs the legs that the settings say, within one request too", () => {
    const settings = { weight: { legsPerPipe: 3 } };
    const picture = pictureOf([{ ...producer, legs: 5 }, { id: "a.1" }], {}, settings);
    goLive(picture, "p.1", ["one", "two"]);
    const answer = placeViews(want(["one", "two"]), picture);
    expect(answer.placed).toHaveLength(1);
    expect(codes(answer)).toEqual(["no-pipe-capacity"]);
  });

  test.each([
    ["with legs to spare a view opens a pipe to save a transport", 20, "a.1"],
    ["from the share on which legs run short it goes where the pipe is", 10, "b.1"],
  ])("%s", (_, legs, workerId) => {
    const rows = [
      { ...producer, legs },
      { id: "a.1", taken: 5 },
      { id: "b.1", taken: 10 },
    ];
    const picture = pictureOf(rows);
    goLive(picture, "p.1", ["1", "2", "3", "4"]);
    for (const id of ["1", "2", "3"]) seat(picture, id, "a.1", 6);
    seat(picture, "4", "b.1", 6);
    const { placed } = placeViews(want(["1", "2", "3", "4"], ["a.1"]), picture);
    expect(placed.map((view) => view.workerId)).toEqual(["a.1", "a.1", "a.1", workerId]);
  });

  test("no host is asked to send or take in more than its budget", () => {
    const nodes = {
      a: { egressKbps: 2 * 880 },
      b: { ingressKbps: 1280 },
    };
    const picture = pictureOf([producer, { id: "a.1" }, { id: "b.1" }], nodes);
    const ids = ["1", "2", "3", "4"];
    goLive(picture, "p.1", ids);
    const answer = placeViews(want(ids), picture);
    const on = (id: string) =>
      answer.placed.filter((view) => view.workerId === id).length;
    expect([on("a.1"), on("b.1"), codes(answer)]).toEqual([2, 1, ["egress-exhausted"]]);
  });

  test("the producing host pays for pipes to others, and not for those within", () => {
    // What others have reserved beside it is theirs, with its bandwidth.
    const nodes = { p: { egressKbps: 11 * 6 * 880 + 1280 + 880 } };
    const picture = pictureOf([producer, { id: "a.1" }, { id: "p.2", taken: 11 }], nodes);
    const ids = ["1", "2", "3"];
    goLive(picture, "p.1", ids);
    const answer = placeViews(want(ids), picture);
    const where = answer.placed.map((view) => view.workerId).sort();
    expect([where, codes(answer)]).toEqual([["a.1", "p.2"], ["egress-exhausted"]]);
  });

  test("what is not live is refused as not found", () => {
    const picture = pictureOf([producer, { id: "a.1" }]);
    expect(codes(placeViews(want(["gone"]), picture))).toEqual(["not-found"]);
  });
});
