import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { readSettings, type Settings } from "#schema/settings.ts";
import { startControl } from "#test/harness/control.ts";
import { type FleetShape, writeFleet } from "./join-fleet.ts";
import { brokerOn, granted, startBenchDatabase } from "./join-zone.ts";
import { type Bench, main, type Row } from "./report.ts";

// With `--json` only the report may go to standard output.
process.env.WRANGLER_LOG ??= "error";

const zone = "bench";
const consumers = 10_000;
const room = { accountId: "account_local_first", tier: 1, name: "one", reserve: false };

/** As many consumer workers, each with all its points in use by one viewer. */
function fullFleet(fleetZone: string, settings: Settings): FleetShape {
  const { pointsPerWorker } = settings.weight;
  return {
    zone: fleetZone,
    settings,
    consumers,
    producers: consumers / 8,
    pointsUsed: () => pointsPerWorker,
  };
}

/** Collects garbage, so that what is left is what is held. */
function newCollector(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

/** The picture read anew by brokers in this process, one after the other. */
async function inProcess(turns: number, step: () => void): Promise<Row> {
  const collect = newCollector();
  const settings = readSettings();
  const database = await startBenchDatabase();
  try {
    await writeFleet(database.client, fullFleet(zone, settings));
    const first = brokerOn(database.client, zone, settings);
    const { id: roomId } = await granted(first, "createRoom", room);
    const times: number[] = [];
    const heapMb: number[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      collect();
      const before = process.memoryUsage().heapUsed;
      const startMs = performance.now();
      const broker = brokerOn(database.client, zone, settings);
      await granted(broker, "readRoom", { roomId });
      times.push(performance.now() - startMs);
      collect();
      heapMb.push((process.memoryUsage().heapUsed - before) / 1e6);
      // Asked once more, so that it is held until after the measurement.
      await granted(broker, "readRoom", { roomId });
      step();
    }
    const slots = await countOf(database.client, "slot");
    return row("process", slots, times, Math.max(...heapMb));
  } finally {
    await database.close();
  }
}

/** The object evicted from workerd, and the next request over the API. */
async function inWorkerd(turns: number, step: () => void): Promise<Row> {
  const control = await startControl();
  const { database, keys } = control;
  try {
    await writeFleet(database, fullFleet(control.zone, readSettings()));
    const body = { tier: room.tier, name: room.name };
    const opened = await control.call("POST", "/v1/rooms", { key: keys.api, body });
    const times: number[] = [];
    for (let turn = 0; turn < turns; turn += 1) {
      await control.evict("ZoneBroker", control.zone);
      const startMs = performance.now();
      const path = `/v1/rooms/${opened.body.id}`;
      const { status } = await control.call("GET", path, { key: keys.api });
      if (status !== 200) throw new Error(`The room's answer was ${status}.`);
      times.push(performance.now() - startMs);
      step();
    }
    return row("workerd", await countOf(database, "slot"), times, null);
  } finally {
    await control.stop();
  }
}

async function countOf(
  client: { execute(sql: string): Promise<{ rows: ArrayLike<unknown>[] }> },
  table: string,
): Promise<number> {
  const { rows } = await client.execute(`SELECT count(*) FROM ${table}`);
  return Number(rows[0]?.[0]);
}

function row(
  where: string,
  slots: number,
  times: readonly number[],
  heapMb: number | null,
): Row {
  const sorted = times.toSorted((a, b) => a - b);
  const rebuildMs = sorted[Math.floor(sorted.length / 2)] ?? 0;
  return { where, workers: consumers, slots, rebuildMs, heapMb };
}

export const bench: Bench = {
  name: "rebuild",
  title: "A broker without memory reads its zone's picture from the database.",
  columns: [
    { key: "where", title: "where" },
    { key: "workers", title: "consumer workers" },
    { key: "slots", title: "slots" },
    { key: "rebuildMs", title: "ms", digits: 0 },
    { key: "heapMb", title: "heap MB", digits: 1 },
  ],
  async run({ long }, progress) {
    const turns = long ? 9 : 3;
    progress.start(2 * turns);
    const step = () => progress.step();
    return [await inProcess(turns, step), await inWorkerd(turns, step)];
  },
  misses: (rows) =>
    rows.flatMap(({ where, rebuildMs, heapMb }) => {
      const missed: string[] = [];
      if (!(Number(rebuildMs) < 2000)) missed.push(`${where}: not within 2 s.`);
      if (!(Number(heapMb ?? 0) < 64)) missed.push(`${where}: over 64 MB.`);
      return missed;
    }),
};

if (import.meta.main) await main(bench);
