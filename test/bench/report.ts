import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import { newProgress, type Progress } from "./progress.ts";
import { tableOf } from "./table.ts";

export type Cell = string | number | null;
/** A row's figures; some are groups of figures, such as the parts of a time. */
export type Row = Readonly<Record<string, Cell | Readonly<Record<string, Cell>>>>;

/** One figure of a row, as tables and plots show it. */
export interface Column {
  /** The figure's name, or `group.name` for one in a group. */
  key: string;
  title: string;
  /** Digits after the point; whole numbers and text need none. */
  digits?: number;
  /** Shows a share of 1 as per cent. */
  percent?: boolean;
}

/** What a benchmark is told by its command line. */
export interface BenchOptions {
  seed: number;
  /** Whether it may take more than a minute. */
  long: boolean;
  /** How often each case is measured, where that can be chosen. */
  runs?: number;
}

export interface Bench {
  name: string;
  /** What is measured, in a sentence. */
  title: string;
  columns: readonly Column[];
  run(options: BenchOptions, progress: Progress): Row[] | Promise<Row[]>;
  /** What the figures were meant to be and are not, a sentence each. */
  misses(rows: readonly Row[]): string[];
  /** What the figures say beside each other, a line each. */
  notes?(rows: readonly Row[]): string[];
  /** Figures worth a plot in the summary page. */
  plots?: readonly { title: string; label: readonly string[]; value: string }[];
}

/** What a run leaves behind: the object that `--json` prints. */
export interface BenchReport {
  name: string;
  seed: number;
  machine: { cpu: string; cores: number; node: string };
  rows: readonly Row[];
}

export function machine(): BenchReport["machine"] {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    node: process.version,
  };
}

/** Runs a benchmark and wraps its rows. */
export async function runBench(
  bench: Bench,
  options: BenchOptions,
  isQuiet: boolean,
): Promise<BenchReport> {
  const progress = newProgress(bench.name, isQuiet);
  try {
    const rows = await bench.run(options, progress);
    return { name: bench.name, seed: options.seed, machine: machine(), rows };
  } finally {
    progress.stop();
  }
}

/**
 * A benchmark's command line: `[--json] [--seed N] [--long] [--runs N]`. With `--json` only
 * the report goes to standard output; what was missed goes to standard error and
 * makes the exit code 1.
 */
export async function main(bench: Bench): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      long: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      runs: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(helpOf(bench));
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error("--seed takes a whole number.");
  const runs = values.runs === undefined ? undefined : Number(values.runs);
  if (runs !== undefined && !(Number.isSafeInteger(runs) && runs > 0)) {
    throw new Error("--runs takes a whole number above 0.");
  }
  const print = process.stdout.write.bind(process.stdout);
  // The runtime under test talks too: machines are to read one object and no more.
  if (values.json) process.stdout.write = process.stderr.write.bind(process.stderr);
  const report = await runBench(bench, { seed, long: values.long, runs }, values.json);
  if (values.json) print(`${JSON.stringify(report)}\n`);
  else process.stdout.write(`${bench.title}\n\n${tableOf(bench.columns, report.rows)}\n`);
  const notes = values.json ? [] : (bench.notes?.(report.rows) ?? []);
  if (notes.length > 0) process.stdout.write(`\n${notes.join("\n")}\n`);
  for (const miss of bench.misses(report.rows)) {
    process.stderr.write(`Missed: ${miss}\n`);
    process.exitCode = 1;
  }
}

function helpOf({ name, title }: Bench): string {
  return `npm run -s bench:${name} -- [--json] [--long] [--runs N] [--seed S]

${title}

  --json    prints one object with the rows, and nothing else
  --long    a larger form, where there is one
  --runs N  how often each case is measured, where that can be chosen
  --seed S  makes two runs comparable; default 1
`;
}
