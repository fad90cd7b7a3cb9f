import { parseArgs } from "node:util";
import { isBad, textOf } from "./report.ts";
import { runChaos } from "./run.ts";
import { longScale, quickScale } from "./scale.ts";
import { type FaultKind, faultKinds } from "./schedule.ts";

const help = `npm run -s chaos -- [--minutes N] [--seed S] [--kinds a,b] [--json]

Runs a zone with real hosts and a crowd in its rooms, lets everything fail that
can, and looks all the while whether what must hold does.

  --minutes N  how long things fail; default 5. From 2 minutes on all delays are
               the product's own, below that leases are short
  --seed S     which things fail, and when; default 1
  --kinds a,b  only these: ${faultKinds.join(", ")}
  --json       prints one object, and nothing else
`;

/** The program's command line. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: "string", default: "5" },
      seed: { type: "string", default: "1" },
      kinds: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes > 0)) throw new Error("--minutes takes a number above 0.");
  if (!Number.isSafeInteger(seed)) throw new Error("--seed takes a whole number.");
  const kinds = values.kinds?.split(",") as FaultKind[] | undefined;
  const unknown = kinds?.find((kind) => !faultKinds.includes(kind));
  if (unknown) throw new Error(`--kinds: there is no ${unknown}.`);
  const report = await runChaos({
    scale: minutes < 2 ? quickScale : longScale,
    seed,
    runMs: minutes * 60_000,
    kinds,
    say: (text) => void process.stderr.write(`${text}\n`),
  });
  const printed = values.json ? `${JSON.stringify(report)}\n` : textOf(report);
  await new Promise((resolve) => process.stdout.write(printed, resolve));
  process.exitCode = isBad(report) ? 1 : 0;
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
// A fault that comes to its end late may have started a host anew.
process.exit();
