import { join } from "node:path";
import { readSettings } from "#schema/settings.ts";
import { Random } from "#test/sim/random.ts";
import type { CrowdMethods } from "./crowd/contract.ts";
import { Door } from "./door.ts";
import { Fleet } from "./fleet.ts";
import { Population } from "./population.ts";
import { type ServingProcess, startServing } from "./rpc.ts";
import type { Scale } from "./scale.ts";
import type { ZoneMethods } from "./zone-host.ts";

const fillMs = 120_000;

export interface RunningZone {
  name: string;
  control: ServingProcess<ZoneMethods>;
  crowd: ServingProcess<CrowdMethods>;
  fleet: Fleet;
  door: Door;
  population: Population;
  roomIds: string[];
  /** Ends everything that was started, and nothing else. */
  stop(): Promise<void>;
}

/**
 * Starts control and its databases, the hosts and a crowd that fills the rooms,
 * each in processes of their own on loopback.
 */
export async function startZone(
  scale: Scale,
  seed: number,
  say: (text: string) => void,
): Promise<RunningZone> {
  const file = (name: string) => join(import.meta.dirname, name);
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end().catch(() => undefined);
  };
  try {
    say("control and databases: starting");
    const control = startServing<ZoneMethods>(file("zone-host.ts"), say);
    stops.push(() => control.end());
    const { url, zone, keys } = await control.remote.start(scale.settings);
    stops.push(() => control.remote.stop());
    const door = new Door(url);
    const doorPort = await door.listen();
    stops.push(() => door.close());
    const { hosts, drainMs, rooms, cameras, viewersPerRoom } = scale;
    say(`${hosts.length} hosts: starting`);
    const fleet = new Fleet({ control: { url, keys }, zone, hosts, drainMs });
    stops.push(() => fleet.close());
    await fleet.open();
    const crowd = startServing<CrowdMethods>(file("crowd/host.ts"), say);
    stops.push(() => crowd.end());
    const roomIds = await crowd.remote.start({
      apiKey: keys.api,
      doorPort,
      rooms,
      tier: 1,
    });
    const random = new Random(seed);
    const population = new Population({
      crowd: crowd.remote,
      door,
      random,
      rooms,
      cameras,
      viewersPerRoom,
      say,
    });
    say(`${rooms} rooms: filling`);
    await population.fill(fillMs);
    return { name: zone, control, crowd, fleet, door, population, roomIds, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The marks that a scale's settings draw. */
export function marksOf(scale: Scale) {
  const { weight } = readSettings(scale.settings);
  return {
    pointsPerWorker: weight.pointsPerWorker,
    seatsPerPoint: weight.seatsPerPoint.camera,
    broadcastsPerProducerWorker: weight.broadcastsPerProducerWorker,
  };
}
