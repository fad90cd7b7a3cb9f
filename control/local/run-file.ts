import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { LaunchError } from "./config.ts";

/** The environment variable that marks every process of one run. */
export const runMark = "WEIR_RUN";

const killMs = 1000;

const runSchema = z.object({
  pid: z.number().int(),
  /** When the process began, in the kernel's words: a recycled pid differs. */
  startedAt: z.string(),
  runId: z.string(),
});

/** One run's claim on a data folder. */
export interface Run {
  runId: string;
  /** Kills what is left of this run, and gives the data folder free. */
  end(): Promise<void>;
}

/**
 * Claims a data folder for this process, after clearing away what a run that was
 * killed has left behind.
 * @param folder the data folder
 * @param say told when something had to be cleared
 * @throws LaunchError while another run lives there
 */
export async function claimRun(
  folder: string,
  say: (text: string) => void,
): Promise<Run> {
  const file = join(folder, "run.json");
  if (existsSync(file)) await clearFormerRun(file, folder, say);
  const runId = randomUUID();
  const run = { pid: process.pid, startedAt: startOf(process.pid) ?? "", runId };
  try {
    writeFileSync(file, JSON.stringify(run), { flag: "wx" });
  } catch {
    throw new LaunchError(`Weir is just being started on ${folder} by another process`);
  }
  return {
    runId,
    async end() {
      await killRun(runId);
      rmSync(file, { force: true });
    },
  };
}

async function clearFormerRun(
  file: string,
  folder: string,
  say: (text: string) => void,
): Promise<void> {
  const former = runSchema.safeParse(parseJson(readFileSync(file, "utf8"))).data;
  if (former && startOf(former.pid) === former.startedAt) {
    throw new LaunchError(
      `Weir runs on ${folder} already (process ${former.pid}): stop it, or set WEIR_DATA to another folder`,
    );
  }
  if (former) {
    const left = await killRun(former.runId);
    if (left > 0) say(`cleared ${left} processes that a killed run had left`);
  }
  rmSync(file, { force: true });
}

/**
 * Kills every process of a run and waits until their ports are free again.
 * @returns how many there were
 */
async function killRun(runId: string): Promise<number> {
  const found = processesOf(runId);
  const deadline = Date.now() + killMs;
  for (let left = found; left.length > 0 && Date.now() < deadline; ) {
    for (const pid of left) kill(pid);
    await delay(20);
    left = processesOf(runId);
  }
  return found.length;
}

/**
 * Processes whose environment carries the run's mark. Pids are read anew each
 * time, so one that now belongs to somebody else is never among them.
 */
function processesOf(runId: string): number[] {
  if (!existsSync("/proc/self/environ")) return [];
  const mark = `${runMark}=${runId}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && environmentOf(pid).includes(mark));
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    // Gone already, or somebody else's.
    return [];
  }
}

/** The boot's id and the process's start in clock ticks since then. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    // The name in parentheses may hold spaces; the 20th field behind it is the start.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie is over: only its parent has not noticed.
    return fields[0] === "Z" ? undefined : `${boot} ${fields[19]}`;
  } catch {
    return undefined;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It left by itself.
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
