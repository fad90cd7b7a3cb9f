import { findBrowser, startBrowser } from "#test/browser/people.ts";
import { RunningWeir } from "#test/browser/running-weir.ts";
import { cases, runOnce, setScene } from "./first-frame-cases.ts";
import { type Figures, type Part, parts } from "./first-frame-page.ts";
import { type Bench, main, type Row } from "./report.ts";

const bench: Bench = {
  name: "first-frame",
  title:
    "From the click on Watch to the first decoded frame, in Chromium, across two hosts: medians of each part, in ms.",
  columns: [
    { key: "case", title: "case" },
    { key: "runs", title: "runs" },
    { key: "p50Ms", title: "p50", digits: 0 },
    { key: "p99Ms", title: "p99", digits: 0 },
    ...parts.map(({ key, title, ...part }) => ({
      key: `parts.${key}`,
      title: "of" in part ? `(${title})` : title,
      digits: 0,
    })),
  ],
  async run({ runs = 30 }, progress) {
    progress.start(cases.length * runs);
    const executable = findBrowser();
    if (!executable) throw new Error("There is no Chromium: apt-get install chromium");
    const weir = await RunningWeir.start();
    // A browser each, as a viewer's encoder is not on the viewer's machine.
    const browsers = await Promise.all([1, 2, 3].map(() => startBrowser(executable)));
    try {
      const scene = await setScene(weir, browsers);
      const rows: Row[] = [];
      for (const one of cases) {
        await one.prepare(scene);
        const figures: Figures[] = [];
        for (let run = 0; run < runs; run += 1) {
          figures.push(await runOnce(one, scene));
          progress.step();
        }
        rows.push(rowOf(one.name, figures));
      }
      return rows;
    } finally {
      await Promise.all(browsers.map((browser) => browser.close()));
      await weir.stop();
    }
  },
  misses: (rows) =>
    cases.flatMap(({ name, aimMs = Number.POSITIVE_INFINITY }) => {
      const p50Ms = Number(rows.find((row) => row.case === name)?.p50Ms);
      if (p50Ms <= aimMs) return [];
      const taken = Math.round(p50Ms);
      return [`${name} takes ${taken} ms at the median, ${aimMs} are the aim.`];
    }),
};

function rowOf(name: string, figures: readonly Figures[]): Row {
  const totals = figures.map(({ totalMs }) => totalMs);
  const medians: Partial<Record<Part, number>> = {};
  for (const { key } of parts) {
    const values = figures.flatMap((one) => one.parts[key] ?? []);
    if (values.length > 0) medians[key] = quantile(values, 0.5);
  }
  return {
    case: name,
    runs: figures.length,
    p50Ms: quantile(totals, 0.5),
    p99Ms: quantile(totals, 0.99),
    parts: medians,
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return Math.round(10 * (at ?? 0)) / 10;
}

if (import.meta.main) await main(bench);

export default bench;
