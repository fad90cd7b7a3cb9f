import type { Broker } from "#control/broker/broker.ts";
import { readSettings, type Settings } from "#schema/settings.ts";
import { getRequesters, type HttpFleet, startHop, startHttpFleet } from "./join-http.ts";
import { brokerRequesters } from "./join-in-process.ts";
import { type Measured, measure, type Requester } from "./join-load.ts";
import { joinMisses, joinRatios } from "./join-ratios.ts";
import { rawRequesters } from "./join-raw.ts";
import { openRooms } from "./join-rooms.ts";
import { type BenchDatabase, brokerOn, startFleet } from "./join-zone.ts";
import type { Progress } from "./progress.ts";
import { type Bench, main, type Row } from "./report.ts";

const zone = "bench";
const { groupMax } = readSettings().broker;
const fleets = [100, 1000, 10_000];
const requesterCounts = [1, 16, 64];
const latencies = [0, 20];

/** One way to join under one load; each is measured in turns with its rivals. */
interface Subject {
  path: string;
  workers: number | null;
  requesters: number;
  databaseLatencyMs: number;
  /** Brings the path into its measured state; answers who is to go round. */
  ready(): Promise<Requester[]> | Requester[];
}

/** How long and how often each subject is measured, in milliseconds. */
interface Pace {
  turns: number;
  measureMs: number;
}

/**
 * Measures rivals in turns, so that a machine's other work falls on all of them,
 * and takes each figure's median over the turns.
 */
async function compare(
  subjects: readonly Subject[],
  { turns, measureMs }: Pace,
  progress: Progress,
): Promise<Row[]> {
  const results = new Map<Subject, Measured[]>(subjects.map((each) => [each, []]));
  for (let turn = 0; turn < turns; turn += 1) {
    for (const [subject, list] of results) {
      list.push(await measure(await subject.ready(), measureMs));
      progress.step();
    }
  }
  return [...results].map(([{ ready: _, ...subject }, list]) => ({
    ...subject,
    perSecond: median(list.map((each) => each.perSecond)),
    p50Ms: median(list.map((each) => each.p50Ms)),
    p99Ms: median(list.map((each) => each.p99Ms)),
  }));
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** A fleet in this process. Its broker's groups are made smaller for one path. */
interface Fleet {
  workers: number;
  database: BenchDatabase;
  rooms: string[];
  settings: Settings;
  broker: Broker;
}

async function startInProcess(workers: number): Promise<Fleet> {
  const settings = readSettings();
  const database = await startFleet(workers, zone, settings);
  const broker = brokerOn(database.client, zone, settings);
  const rooms = await openRooms(broker, zone);
  return { workers, database, rooms, settings, broker };
}

/** The broker in this process, with groups of up to `groupMax` requests. */
function brokerSubject(
  fleet: Fleet,
  path: string,
  groupMax: number,
  requesters: number,
  databaseLatencyMs: number,
): Subject {
  return {
    path,
    workers: fleet.workers,
    requesters,
    databaseLatencyMs,
    ready() {
      fleet.settings.broker.groupMax = groupMax;
      fleet.database.latencyMs = databaseLatencyMs;
      return brokerRequesters(fleet.broker, fleet.rooms, requesters);
    },
  };
}

function rawSubject(
  { workers, database, rooms }: Fleet,
  requesters: number,
  databaseLatencyMs: number,
): Subject {
  return {
    path: "raw",
    workers,
    requesters,
    databaseLatencyMs,
    ready() {
      database.latencyMs = databaseLatencyMs;
      return rawRequesters(database.client, zone, rooms, requesters);
    },
  };
}

function httpSubject(
  fleet: HttpFleet,
  workers: number,
  requesters: number,
  databaseLatencyMs: number,
): Subject {
  return {
    path: "http",
    workers,
    requesters,
    databaseLatencyMs,
    ready() {
      fleet.latencyMs = databaseLatencyMs;
      return fleet.requesters(requesters);
    },
  };
}

function getSubject(path: string, url: string, requesters: number): Subject {
  const ready = () => getRequesters(url, requesters);
  return { path, workers: null, requesters, databaseLatencyMs: 0, ready };
}

async function inProcess(pace: Pace, progress: Progress): Promise<Row[]> {
  const started: Fleet[] = [];
  const rows: Row[] = [];
  try {
    for (const workers of fleets) started.push(await startInProcess(workers));
    for (const latencyMs of latencies) {
      for (const requesters of requesterCounts) {
        const subjects = started.flatMap((fleet) => [
          brokerSubject(fleet, "broker", groupMax, requesters, latencyMs),
          brokerSubject(fleet, "ungrouped", 1, requesters, latencyMs),
        ]);
        rows.push(...(await compare(subjects, paceOf(pace, latencyMs), progress)));
      }
    }
    // Written past the brokers, which are of no use from here on.
    const [smallest] = started;
    for (const latencyMs of smallest ? latencies : []) {
      const subjects = requesterCounts.map((requesters) =>
        rawSubject(smallest as Fleet, requesters, latencyMs),
      );
      rows.push(...(await compare(subjects, paceOf(pace, latencyMs), progress)));
    }
  } finally {
    for (const { database } of started) await database.close();
  }
  return rows;
}

/** Where waiting makes the time, the machine's other work makes little of it. */
function paceOf(pace: Pace, latencyMs: number): Pace {
  return latencyMs > 0 ? { ...pace, turns: Math.floor(pace.turns / 3) } : pace;
}

async function overHttp(pace: Pace, progress: Progress): Promise<Row[]> {
  const rows: Row[] = [];
  const hop = await startHop();
  const started: { workers: number; fleet: HttpFleet }[] = [];
  try {
    for (const workers of fleets) {
      started.push({ workers, fleet: await startHttpFleet(workers) });
    }
    const livez = started[0]?.fleet.livez ?? "";
    for (const requesters of requesterCounts) {
      const gets = [
        getSubject("nothing", livez, requesters),
        getSubject("hop", hop.url, requesters),
      ];
      for (const latencyMs of latencies) {
        const joins = started.map(({ workers, fleet }) =>
          httpSubject(fleet, workers, requesters, latencyMs),
        );
        const subjects = latencyMs === 0 ? [...gets, ...joins] : joins;
        rows.push(...(await compare(subjects, paceOf(pace, latencyMs), progress)));
      }
    }
  } finally {
    for (const { fleet } of started) await fleet.control.stop();
    await hop.stop();
  }
  return rows;
}

export const bench: Bench = {
  name: "join",
  title:
    "Requests a second and their times: a join is entering a room and claiming views of " +
    "its six broadcasts, then the session leaves. Over HTTP: entering and leaving.",
  columns: [
    { key: "path", title: "path" },
    { key: "workers", title: "workers" },
    { key: "requesters", title: "requesters" },
    { key: "databaseLatencyMs", title: "database ms" },
    { key: "perSecond", title: "per second", digits: 0 },
    { key: "p50Ms", title: "p50 ms", digits: 2 },
    { key: "p99Ms", title: "p99 ms", digits: 2 },
  ],
  plots: [
    {
      title: "Requests a second",
      label: ["path", "workers", "requesters", "databaseLatencyMs"],
      value: "perSecond",
    },
  ],
  async run({ long }, progress) {
    // Over HTTP one request takes longer, and fewer turns see as many.
    const inside = long ? { turns: 9, measureMs: 1500 } : { turns: 5, measureMs: 250 };
    const outside = long ? inside : { turns: 3, measureMs: 400 };
    const loads = requesterCounts.length;
    let steps = 2 * loads * outside.turns;
    for (const latencyMs of latencies) {
      steps += loads * paceOf(inside, latencyMs).turns * (2 * fleets.length + 1);
      steps += loads * paceOf(outside, latencyMs).turns * fleets.length;
    }
    progress.start(steps);
    const rows = await inProcess(inside, progress);
    return [...rows, ...(await overHttp(outside, progress))];
  },
  misses: joinMisses,
  notes: joinRatios,
};

if (import.meta.main) await main(bench);
