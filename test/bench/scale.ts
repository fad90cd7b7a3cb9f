import { placeViews } from "#control/placement/place.ts";
import { readSettings } from "#schema/settings.ts";
import { openFleet } from "#test/sim/fleet.ts";
import { newPolicy } from "#test/sim/policies.ts";
import { Random } from "#test/sim/random.ts";
import { randomRoom } from "#test/sim/trace.ts";
import { type SimRoom, World } from "#test/sim/world.ts";
import { type Bench, main, type Row } from "./report.ts";

const settings = readSettings();
const fleets = [100, 1000, 10_000];
const share = 0.85;
const requests = 6000;
/** Rooms asked for again and again: as many as the smallest fleet has. */
const hotRooms = 25;

/** Fills a fleet to a share of its points with rooms of random sizes. */
function fillFleet(consumers: number, seed: number): World {
  const cameraProducers = Math.ceil(0.6 * consumers);
  const picture = openFleet(settings, { cameraConsumers: consumers, cameraProducers });
  const world = new World(picture, newPolicy("slot-packing"));
  const random = new Random(seed);
  const target = share * consumers * settings.weight.pointsPerWorker;
  for (let made = 0, used = 0; used < target; made += 1) {
    const { room, size } = randomRoom(random, settings);
    for (let at = 0; at < room.viewers; at += 1) {
      const session = world.join(`room${made}`, `session${made}-${at}`, size);
      if (at < room.broadcasters) world.broadcast(session, "camera");
    }
    for (const points of picture.roomPoints(`room${made}`).values()) used += points;
  }
  return world;
}

/** Times one more viewer's placement, in microseconds, over many requests. */
function timesOf(world: World, rooms: readonly SimRoom[], random: Random): number[] {
  const times: number[] = [];
  for (let at = 0; at < requests; at += 1) {
    const room = random.pick(rooms);
    const request = {
      roomId: room.id,
      sessionId: "new",
      sessionWorkers: new Set<string>(),
      broadcastIds: [...room.broadcasts.keys()],
      roomSize: room.size,
    };
    const startNs = process.hrtime.bigint();
    placeViews(request, world.picture);
    times.push(Number(process.hrtime.bigint() - startNs) / 1000);
  }
  return times.sort((a, b) => a - b);
}

function rowOf(workers: number, world: World, rooms: "same" | "all", seed: number): Row {
  const all = [...world.rooms.values()];
  const times = timesOf(
    world,
    rooms === "same" ? all.slice(0, hotRooms) : all,
    new Random(seed),
  );
  const at = (quantile: number) => times[Math.floor(quantile * times.length)] ?? 0;
  return { workers, rooms, p50Us: at(0.5), p99Us: at(0.99) };
}

export const bench: Bench = {
  name: "scale",
  title:
    "One placement, all of a viewer's broadcasts, by size of the fleet; over the same 25 " +
    "rooms, and over all rooms of the fleet, which the processor's cache cannot hold.",
  columns: [
    { key: "rooms", title: "rooms" },
    { key: "workers", title: "workers" },
    { key: "p50Us", title: "p50 us", digits: 1 },
    { key: "p99Us", title: "p99 us", digits: 1 },
  ],
  plots: [{ title: "p50 in microseconds", label: ["workers", "rooms"], value: "p50Us" }],
  run: ({ seed }, progress) => {
    progress.start(fleets.length);
    const worlds = fleets.map((workers) => {
      const world = fillFleet(workers, seed);
      progress.step();
      return { workers, world };
    });
    // One unmeasured round, or the first fleet would pay for the compiler.
    for (const { workers, world } of worlds) rowOf(workers, world, "same", seed);
    return (["same", "all"] as const).flatMap((rooms) =>
      worlds.map(({ workers, world }) => rowOf(workers, world, rooms, seed)),
    );
  },
  misses: (rows) => {
    const p50 = (workers: number) =>
      Number(rows.find((row) => row.workers === workers && row.rooms === "same")?.p50Us);
    const ratio = p50(10_000) / p50(100);
    if (ratio <= 1.2) return [];
    return [
      `A placement among 10,000 workers takes ${ratio.toFixed(2)} x one among 100.`,
    ];
  },
};

if (import.meta.main) await main(bench);
