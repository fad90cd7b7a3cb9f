import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { longScale } from "#test/chaos/scale.ts";
import { pageOf } from "./page.ts";
import { runSoak, type SoakReport } from "./run.ts";

const help = `npm run -s soak -- [--minutes N] [--seed S] [--page FILE] [--json]

Lets people come and go in a zone with real hosts, and follows the memory of
control, databases, agents and mediasoup workers.

  --minutes N  default 20
  --seed S     who comes and goes when; default 1
  --page FILE  where the plots go; default soak.html
  --json       prints one object, and nothing else
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "20" },
      seed: { type: "string", default: "1" },
      page: { type: "string", default: "soak.html" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes > 0)) throw new Error("--minutes takes a number above 0.");
  if (!Number.isSafeInteger(seed)) throw new Error("--seed takes a whole number.");
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const scale = { ...longScale, changeMs: 700 };
  const report = await runSoak({ scale, seed, minutes, say });
  writeFileSync(values.page, pageOf(report));
  say(`plots: ${values.page}`);
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : textOf(report));
  process.exitCode = report.wrong.length > 0 ? 1 : 0;
}

function textOf(report: SoakReport): string {
  const { joins, views, interrupted, overshot, drift, leaks } = report;
  const head = `${joins} joins, ${views} views, ${interrupted} interrupted; overshot ${overshot}, drift ${drift}, leaks ${leaks}`;
  const width = Math.max(...report.verdicts.map(({ name }) => name.length));
  const rows = report.verdicts.map(({ name, middle, end, megabytesPerHour }) => {
    return `${name.padEnd(width)}  ${middle} -> ${end} MB, ${megabytesPerHour} MB/h`;
  });
  const verdict = report.wrong.length > 0 ? report.wrong : ["No growth, no leaks."];
  return `${[head, ...rows, ...verdict].join("\n")}\n`;
}

// What it has started ends with it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => process.exit(130));
}
try {
  await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 2;
}
