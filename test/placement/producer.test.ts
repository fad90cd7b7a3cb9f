import { describe, expect, test } from "vitest";
import { placeBroadcast } from "#control/placement/producer.ts";
import { goLive, pictureOf } from "./fixtures.ts";

const camera = {
  roomId: "room",
  mediaClass: "camera",
  dedicated: true,
  producerWorkersMax: 1,
} as const;

const ids = (count: number, of = "b") =>
  Array.from({ length: count }, (_, at) => `${of}${at}`);

describe("a room with a producer worker of its own", () => {
  test("takes an unused one for its first broadcast, and stays there", () => {
    const picture = pictureOf([
      { id: "a.1", role: "producer" },
      { id: "b.1", role: "producer" },
    ]);
    const first = placeBroadcast(camera, picture);
    if ("code" in first) throw new Error("It has to fit.");
    expect(first.dedicates).toBe(true);
    picture.dedicate(first.workerId, "room");
    goLive(picture, first.workerId, ["one"]);
    expect(placeBroadcast(camera, picture)).toMatchObject({
      workerId: first.workerId,
      dedicates: false,
    });
  });

  test("never takes another room's, nor one that others share", () => {
    const picture = pictureOf([
      { id: "a.1", role: "producer" },
      { id: "b.1", role: "producer" },
    ]);
    picture.dedicate("a.1", "other-room");
    goLive(picture, "b.1", ["shared"]);
    expect(placeBroadcast(camera, picture)).toMatchObject({
      code: "no-producer-capacity",
      passedOver: { "other-room": 1 },
    });
  });

  test("gets its second when the first is half full, and then fills both evenly", () => {
    const picture = pictureOf([
      { id: "a.1", role: "producer" },
      { id: "b.1", role: "producer" },
    ]);
    const request = { ...camera, producerWorkersMax: 2 };
    for (let at = 0; at < 48; at += 1) {
      const place = placeBroadcast(request, picture);
      if ("code" in place) throw new Error(`Broadcast ${at} was refused.`);
      if (place.dedicates) picture.dedicate(place.workerId, "room");
      goLive(picture, place.workerId, [`b${at}`]);
      if (at === 14) expect(picture.producersOf("room").size).toBe(1);
    }
    expect(picture.workers.get("a.1")?.broadcastsUsed).toBe(24);
    expect(picture.workers.get("b.1")?.broadcastsUsed).toBe(24);
  });

  test("is refused beyond what its workers hold", () => {
    const picture = pictureOf([
      { id: "a.1", role: "producer" },
      { id: "b.1", role: "producer" },
    ]);
    picture.dedicate("a.1", "room");
    goLive(picture, "a.1", ids(30));
    expect(placeBroadcast(camera, picture)).toMatchObject({
      code: "no-producer-capacity",
      passedOver: { "no-free-broadcast": 1 },
    });
  });

  test("gets another while its own takes nothing new", () => {
    const picture = pictureOf([
      { id: "a.1", role: "producer", open: false },
      { id: "b.1", role: "producer" },
    ]);
    picture.dedicate("a.1", "room");
    expect(placeBroadcast(camera, picture)).toMatchObject({
      workerId: "b.1",
      dedicates: true,
    });
  });

  test("is refused for bandwidth where no host can take its camera in", () => {
    const picture = pictureOf([{ id: "a.1", role: "producer" }], {
      a: { ingressKbps: 1279 },
    });
    expect(placeBroadcast(camera, picture)).toMatchObject({ code: "egress-exhausted" });
  });
});

describe("shared producer workers", () => {
  const shared = { ...camera, dedicated: false };

  test("fill one after the other, so that whole workers stay free", () => {
    const picture = pictureOf([
      { id: "a.1", role: "producer" },
      { id: "b.1", role: "producer" },
    ]);
    goLive(picture, "b.1", ids(3));
    expect(placeBroadcast(shared, picture)).toMatchObject({
      workerId: "b.1",
      rule: "producer-shared",
    });
  });

  test("that are short of legs come last", () => {
    const picture = pictureOf([
      { id: "a.1", role: "producer" },
      { id: "b.1", role: "producer", legs: 2 },
    ]);
    goLive(picture, "b.1", ids(3));
    picture.putWorker({ ...worker(picture, "b.1"), legsTotal: 480, legsUsed: 0 });
    for (let at = 0; at < 235; at += 1) {
      const pipe = { broadcastId: "b0", producerWorkerId: "b.1", generation: 1, legs: 2 };
      picture.putPipe({ ...pipe, consumerWorkerId: `c.${at}`, state: "open" });
    }
    expect(placeBroadcast(shared, picture)).toMatchObject({ workerId: "a.1" });
    picture.dedicate("a.1", "other-room");
    expect(placeBroadcast(shared, picture)).toMatchObject({
      rule: "producer-shared-few-legs",
    });
  });

  test("take screens whatever the room's cameras have, and only of their class", () => {
    const picture = pictureOf([
      { id: "a.1", role: "producer" },
      { id: "b.1", role: "producer", media: "screen" },
    ]);
    const screen = { ...camera, mediaClass: "screen" } as const;
    expect(placeBroadcast(screen, picture)).toMatchObject({
      workerId: "b.1",
      dedicates: false,
    });
    goLive(picture, "b.1", ids(30), "screen");
    expect(placeBroadcast(screen, picture)).toMatchObject({ code: "no-screen-capacity" });
  });
});

function worker(picture: ReturnType<typeof pictureOf>, id: string) {
  const found = picture.workers.get(id);
  if (!found) throw new Error(`There is no worker ${id}.`);
  return found;
}
