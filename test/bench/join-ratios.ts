import type { Row } from "./report.ts";

/** A figure over its baseline of the same run. */
export interface Ratio {
  what: string;
  value: number;
  /** What it has to be at least, or at most. */
  least?: number;
  most?: number;
}

type Key = Partial<
  Record<"path" | "workers" | "requesters" | "databaseLatencyMs", unknown>
>;

function figure(rows: readonly Row[], key: Key, name: string): number {
  const row = rows.find((each) =>
    Object.entries(key).every(([column, value]) => each[column] === value),
  );
  return Number(row?.[name] ?? Number.NaN);
}

/** The figures that mean something only beside their baselines. */
export function ratiosOf(rows: readonly Row[]): Ratio[] {
  const rate = (key: Key) => figure(rows, key, "perSecond");
  const p50 = (key: Key) => figure(rows, key, "p50Ms");
  const ratios: Ratio[] = [];
  for (const [databaseLatencyMs, least] of [
    [0, 5],
    [20, 20],
  ] as const) {
    const load = { requesters: 64, databaseLatencyMs };
    const grouped = rate({ path: "broker", workers: 100, ...load });
    const over = (path: string) => grouped / rate({ path, workers: 100, ...load });
    const when = `at 64 requesters and ${databaseLatencyMs} ms`;
    ratios.push(
      { what: `broker / ungrouped ${when}`, value: over("ungrouped"), least },
      { what: `broker / raw transactions ${when}`, value: over("raw") },
    );
  }
  for (const requesters of [1, 16, 64]) {
    const load = { requesters, databaseLatencyMs: 0 };
    const http = rate({ path: "http", workers: 100, ...load });
    const when = `at ${requesters} requesters`;
    const least = requesters === 64 ? 0.8 : undefined;
    ratios.push({
      what: `http / hop ${when}`,
      value: http / rate({ path: "hop", requesters }),
      least,
    });
    ratios.push({
      what: `http / nothing ${when}`,
      value: http / rate({ path: "nothing", requesters }),
    });
  }
  for (const path of ["broker", "http"]) {
    for (const requesters of [1, 16, 64]) {
      const load = { path, requesters, databaseLatencyMs: 0 };
      const value = p50({ ...load, workers: 10_000 }) / p50({ ...load, workers: 100 });
      const what = `${path} p50 at 10,000 workers / at 100, ${requesters} requesters`;
      ratios.push({ what, value, most: 1.2 });
    }
  }
  return ratios;
}

/** The ratios, a line each, with the aim beside those that have one. */
export function joinRatios(rows: readonly Row[]): string[] {
  return ratiosOf(rows).map(({ what, value, least, most }) => {
    const aim = least
      ? ` (aim: at least ${least})`
      : most
        ? ` (aim: at most ${most})`
        : "";
    return `${what}: ${value.toFixed(2)}${aim}`;
  });
}

/** The ratios that are not what they were meant to be. */
export function joinMisses(rows: readonly Row[]): string[] {
  return ratiosOf(rows)
    .filter(
      ({ value, least, most }) => !(value >= (least ?? 0) && value <= (most ?? Infinity)),
    )
    .map(({ what, value, least, most }) => {
      const aim = least ? `at least ${least}` : `at most ${most}`;
      return `${what} is ${value.toFixed(2)}: the aim is ${aim}.`;
    });
}
