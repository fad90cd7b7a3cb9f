import type { Client } from "@libsql/client/web";
import { pointsOf } from "#control/placement/weight.ts";
import { newId } from "#schema/ids.ts";
import { readSettings } from "#schema/settings.ts";
import type { BurstCase, BurstResult, BurstRunner } from "./burst-cases.ts";
import { writeFleet } from "./join-fleet.ts";
import { entryOf } from "./join-rooms.ts";
import {
  type BenchDatabase,
  brokerOn,
  granted,
  startBenchDatabase,
} from "./join-zone.ts";

const zone = "bench";

/**
 * The real broker on a real database, over in-process requests. Joins that come
 * at the same moment are asked at once, and each is entering and watching all.
 */
export const realBroker: BurstRunner = {
  policy: "broker",
  async run(burst) {
    const database = await startBenchDatabase();
    try {
      return await runOn(database, burst);
    } finally {
      await database.close();
    }
  },
};

async function runOn(database: BenchDatabase, burst: BurstCase): Promise<BurstResult> {
  // A tier of the case's own size: who broadcasts leaves the burst its places.
  const { broadcasts, viewers } = burst.size;
  const tier = { broadcasts, viewers: viewers + broadcasts };
  const settings = readSettings({ tiers: [tier] });
  const { client } = database;
  const { pointsPerWorker, seatsPerPoint } = settings.weight;
  // Fleets grow by four workers; those that the case does not know are full.
  const consumers = 4 * Math.ceil(burst.takenPoints.length / 4);
  const taken = (worker: number) => burst.takenPoints[worker] ?? pointsPerWorker;
  const producers = Math.ceil(consumers / 8) + 1;
  await writeFleet(client, { zone, settings, consumers, producers, pointsUsed: taken });
  const before = await pointsUsed(client);
  const broker = brokerOn(client, zone, settings);
  const room = { accountId: "account_bench", tier: 0, name: "burst", reserve: false };
  const { id: roomId } = await granted(broker, "createRoom", room);
  const enter = (who: string) => granted(broker, "enterRoom", entryOf(roomId, who));
  for (let at = 0; at < broadcasts; at += 1) {
    const { sessionId } = await enter(`broadcaster ${at}`);
    const own = { roomId, sessionId };
    const claim = { ...own, media: "camera" as const };
    const { broadcastId } = await granted(broker, "claimBroadcast", claim);
    const track = { kind: "video", source: "camera", paused: false } as const;
    const trackId = newId("track", zone);
    await granted(broker, "addTrack", { ...own, broadcastId, trackId, ...track });
  }
  database.requests = 0;
  const joins = Map.groupBy(burst.joinsAtMs.keys(), (at) => burst.joinsAtMs[at]);
  for (const together of joins.values()) {
    const entered = await Promise.all(together.map((at) => enter(`joiner ${at}`)));
    const claims = entered.map(({ sessionId }) => {
      const wanted = { roomId, sessionId, broadcasts: "all" as const };
      return granted(broker, "claimViews", wanted);
    });
    for (const { refused } of await Promise.all(claims)) {
      if (refused.length > 0) throw new Error("The fleet was made large enough.");
    }
  }
  const roundTrips = database.requests;
  const { rows } = await client.execute(
    "SELECT points_used, points_total FROM worker WHERE role = 'consumer'",
  );
  const loads = rows.map((row) => Number(row.points_used) / Number(row.points_total));
  const least = broadcasts * pointsOf(burst.joinsAtMs.length, seatsPerPoint.camera);
  return {
    overshotWorkers: loads.filter((load) => load > 1).length,
    worstLoad: Math.max(...loads),
    roundTrips,
    pointsOverBound: ((await pointsUsed(client)) - before) / least,
  };
}

async function pointsUsed(client: Client): Promise<number> {
  const { rows } = await client.execute("SELECT sum(points_used) AS used FROM worker");
  return Number(rows[0]?.used);
}
