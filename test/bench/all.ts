import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { figuresOf } from "./all-figures.ts";
import { bench as burst } from "./burst.ts";
import { bench as churn } from "./churn.ts";
import { bench as fill } from "./fill.ts";
import { bench as flood } from "./flood.ts";
import { pageOf } from "./html.ts";
import { bench as joins } from "./join.ts";
import { newProgress } from "./progress.ts";
import { bench as rebuild } from "./rebuild.ts";
import type { Bench, BenchReport } from "./report.ts";
import { bench as scale } from "./scale.ts";
import { tableOf } from "./table.ts";
import { bench as tiers } from "./tiers.ts";

/** Those that need nothing but this machine, in the order of their running. */
const benches: readonly Bench[] = [
  tiers,
  fill,
  churn,
  scale,
  burst,
  joins,
  rebuild,
  flood,
];

/**
 * Runs one benchmark in a process of its own, so that none warms up another.
 * @throws Error where it leaves no report behind
 */
async function runAlone(bench: Bench, args: readonly string[]): Promise<BenchReport> {
  const file = join(import.meta.dirname, `${bench.name}.ts`);
  const child = spawn(process.execPath, [file, "--json", ...args], {
    // What a benchmark missed is in its report's figures, told below.
    stdio: ["ignore", "pipe", "ignore"],
  });
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const text = Buffer.concat(chunks).toString("utf8");
  try {
    return JSON.parse(text) as BenchReport;
  } catch (error) {
    const how = `node test/bench/${bench.name}.ts`;
    throw new Error(`${bench.name} left no report; see ${how}`, { cause: error });
  }
}

const { values } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: join(tmpdir(), "weir-bench.html") },
  },
});
const args = ["--seed", values.seed, ...(values.long ? ["--long"] : [])];
const progress = newProgress("benchmarks", false);
progress.start(benches.length);
const runs: { bench: Bench; report: BenchReport }[] = [];
for (const bench of benches) {
  runs.push({ bench, report: await runAlone(bench, args) });
  progress.step();
}
progress.stop();

const figures = figuresOf(new Map(runs.map(({ report }) => [report.name, report.rows])));
const columns = [
  { key: "what", title: "figure" },
  { key: "value", title: "measured", digits: 2 },
  { key: "aim", title: "aim" },
  { key: "verdict", title: "" },
];
const rows = figures.map(({ isReached, ...figure }) => ({
  ...figure,
  verdict: isReached ? "reached" : "missed",
}));
writeFileSync(values.out, pageOf(runs));
process.stdout.write(`${tableOf(columns, rows)}\n\nTables and plots: ${values.out}\n`);
if (figures.some(({ isReached }) => !isReached)) process.exitCode = 1;
