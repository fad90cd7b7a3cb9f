import { describe, expect, test } from "vitest";
import { Picture } from "#control/placement/picture.ts";
import { placeViews } from "#control/placement/place.ts";
import { readSettings } from "#schema/settings.ts";
import { openFleet } from "#test/sim/fleet.ts";
import { newPolicy } from "#test/sim/policies.ts";
import { Random } from "#test/sim/random.ts";
import { randomRoom } from "#test/sim/trace.ts";
import { World } from "#test/sim/world.ts";

const settings = readSettings();

/** A fleet whose first hundred workers' worth of rooms are the same at any size. */
function worldOf(consumers: number, rooms: number): World {
  const producers = Math.max(60, rooms);
  const picture = openFleet(settings, {
    cameraConsumers: consumers,
    cameraProducers: producers,
  });
  const world = new World(picture, newPolicy("slot-packing"));
  const random = new Random(7);
  for (let made = 0; made < rooms; made += 1) {
    const { room, size } = randomRoom(random, settings);
    for (let at = 0; at < room.viewers; at += 1) {
      const session = world.join(`room${made}`, `session${made}-${at}`, size);
      if (at < room.broadcasters) world.broadcast(session, "camera");
    }
  }
  return world;
}

/** How many workers a picture was asked for while something ran. */
function lookUps(picture: Picture, act: () => void): number {
  const { workers } = picture;
  const get = workers.get.bind(workers);
  let count = 0;
  workers.get = (id) => {
    count += 1;
    return get(id);
  };
  act();
  workers.get = get;
  return count;
}

describe("the cost of a placement goes with its room, never with the fleet", () => {
  test("10,000 workers are no more work than 100", () => {
    const costs = [100, 10_000].map((consumers) => {
      const world = worldOf(consumers, 20);
      return [...world.rooms.values()].map((room) =>
        lookUps(world.picture, () => {
          const broadcastIds = [...room.broadcasts.keys()];
          const sessionWorkers = new Set<string>();
          const session = { roomId: room.id, sessionId: "new", sessionWorkers };
          placeViews({ ...session, broadcastIds, roomSize: room.size }, world.picture);
          // A room that is nowhere yet has to open everything.
          placeViews({ ...session, roomId: "other", broadcastIds }, world.picture);
        }),
      );
    });
    const sum = (counts: number[] = []) =>
      counts.reduce((total, count) => total + count, 0);
    expect(sum(costs[0])).toBeGreaterThan(0);
    expect(sum(costs[1])).toBeLessThanOrEqual(1.2 * sum(costs[0]));
  });
});

test("a producing host without egress costs no walk over workers that it cannot reach", () => {
  const picture = openFleet(settings, { cameraConsumers: 10_000, cameraProducers: 1 });
  const world = new World(picture, newPolicy("slot-packing"));
  const session = world.join("room", "broadcaster", { broadcasts: 6, viewers: 12 });
  world.broadcast(session, "camera");
  for (const node of picture.nodes.values()) {
    const hasProducer = [...picture.workersOnNode(node.id)].some(
      (id) => picture.workers.get(id)?.role === "producer",
    );
    if (hasProducer) picture.putNode({ ...node, egressKbps: 1279 });
  }
  const request = { roomId: "room", sessionId: "new", sessionWorkers: new Set<string>() };
  const broadcastIds = [...session.broadcastIds];
  let refused: unknown;
  const count = lookUps(picture, () => {
    refused = placeViews({ ...request, broadcastIds }, picture).refused;
  });
  expect(refused).toMatchObject([{ code: "egress-exhausted" }]);
  expect(count).toBeLessThan(100);
});

describe("a decision depends on what is there, not on how it came about", () => {
  test("a picture rebuilt from its rows in another order gives the same answers", () => {
    const world = worldOf(60, 12);
    const random = new Random(3);
    for (let gone = 0; gone < 150; gone += 1) {
      world.leave(random.pick([...world.sessions.keys()]));
    }
    const rebuilt = rebuild(world.picture);
    expect(world.rooms.size).toBeGreaterThan(5);
    for (const room of world.rooms.values()) {
      const request = {
        roomId: room.id,
        sessionId: "new",
        sessionWorkers: new Set<string>(),
        broadcastIds: [...room.broadcasts.keys()],
        roomSize: room.size,
      };
      expect(placeViews(request, rebuilt)).toEqual(placeViews(request, world.picture));
    }
  });
});

/** The same rows put in backwards, as a broker does that starts anew. */
function rebuild(picture: Picture): Picture {
  const rebuilt = new Picture(picture.settings);
  for (const node of [...picture.nodes.values()].reverse()) {
    rebuilt.putNode({ ...node, egressUsedKbps: 0, ingressUsedKbps: 0 });
  }
  for (const worker of [...picture.workers.values()].reverse()) {
    rebuilt.putWorker({ ...worker, pointsUsed: 0, broadcastsUsed: 0, legsUsed: 0 });
  }
  for (const row of [...picture.broadcasts.values()].reverse()) rebuilt.addBroadcast(row);
  for (const pipe of [...picture.pipes()].reverse()) rebuilt.putPipe({ ...pipe });
  for (const { roomId, broadcastId, workerId, viewers } of [
    ...picture.slots(),
  ].reverse()) {
    rebuilt.changeSeats(roomId, broadcastId, workerId, viewers);
  }
  return rebuilt;
}
