import { ratiosOf } from "./join-ratios.ts";
import type { Row } from "./report.ts";

/** One figure of a benchmark with what it is meant to be. */
export interface Figure {
  what: string;
  value: number;
  aim: string;
  isReached: boolean;
}

/** The rows of each benchmark's report, by its name. */
export type Reports = ReadonlyMap<string, readonly Row[]>;

const least = (value: number, mark: number) => ({
  value,
  aim: `>= ${mark}`,
  isReached: value >= mark,
});
const most = (value: number, mark: number) => ({
  value,
  aim: `<= ${mark}`,
  isReached: value <= mark,
});

/** The figures by which Weir is judged, in the benchmarks' order. */
export function figuresOf(reports: Reports): Figure[] {
  const rowOf = (bench: string, key: Record<string, unknown>): Row => {
    const row = reports
      .get(bench)
      ?.find((each) =>
        Object.entries(key).every(([name, value]) => each[name] === value),
      );
    if (!row) throw new Error(`${bench} has no row with ${JSON.stringify(key)}.`);
    return row;
  };
  const tiers = reports.get("tiers") ?? [];
  const refusals = tiers.reduce((sum, row) => sum + Number(row.refusals), 0);
  const cameras = { workload: "cameras" };
  const filled = rowOf("fill", { policy: "slot-packing", ...cameras });
  const rival = rowOf("fill", { policy: "least-loaded-viewer", ...cameras });
  const churned = rowOf("churn", { policy: "slot-packing", load: 0.9 });
  const burst = rowOf("burst", { policy: "broker", case: "64-at-once" });
  const pairs = Number(filled.usefulPairs) / Number(rival.usefulPairs);
  const above = Number(churned.refusedShare) - Number(churned.idealRefusedShare);
  const p50 = (workers: number) =>
    Number(rowOf("scale", { workers, rooms: "same" }).p50Us);
  return [
    { what: "tiers: refusals within a tier's own workers", ...most(refusals, 0) },
    {
      what: "fill: points used at the first refusal, % (cameras)",
      ...least(100 * Number(filled.pointsShare), 99),
    },
    { what: "fill: useful pairs / least-loaded-viewer's", ...least(pairs, 2.9) },
    {
      what: "churn: points / lower bound at 90 % load",
      ...most(Number(churned.pointsOverBound), 1.03),
    },
    {
      what: "churn: views refused above the ideal, % points",
      ...most(100 * above, 0.2),
    },
    {
      what: "churn: pipes x transports / their bound",
      ...most(Number(churned.pipeTransportOverBound), 4),
    },
    {
      what: "scale: a placement among 10,000 workers / among 100",
      ...most(p50(10_000) / p50(100), 1.2),
    },
    {
      what: "burst: workers overshot by 64 joins at once",
      ...most(Number(burst.overshotWorkers), 0),
    },
    {
      what: "burst: round trips to the database of 64 joins at once",
      ...most(Number(burst.roundTrips), 2),
    },
    ...joinFigures(reports.get("join") ?? []),
    ...(reports.get("rebuild") ?? []).flatMap(rebuildFigures),
    ...(reports.get("flood") ?? []).map(({ flood, ratio }) => ({
      what: `flood: p99 of entering other rooms while ${flood} is flooded / quiet`,
      ...most(Number(ratio), 2),
    })),
  ];
}

function joinFigures(rows: readonly Row[]): Figure[] {
  return ratiosOf(rows).flatMap((ratio) => {
    const what = `join: ${ratio.what}`;
    if (ratio.least) return [{ what, ...least(ratio.value, ratio.least) }];
    return ratio.most ? [{ what, ...most(ratio.value, ratio.most) }] : [];
  });
}

function rebuildFigures({ where, rebuildMs, heapMb }: Row): Figure[] {
  const name = `rebuild in ${where === "process" ? "this process" : where}`;
  const time = { what: `${name}: ms`, ...most(Number(rebuildMs), 2000) };
  if (heapMb === null) return [time];
  return [time, { what: `${name}: MB held`, ...most(Number(heapMb), 64) }];
}
