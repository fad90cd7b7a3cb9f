import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { takePortBlock } from "#test/harness/port-block.ts";
import { root } from "#test/harness/root.ts";
import { waitFor } from "#test/harness/wait-for.ts";

/** The launcher as `npm start` runs it, and what it has printed. */
export interface LaunchedWeir {
  readonly pid: number;
  readonly port: number;
  readonly dataFolder: string;
  printed(): string;
  /** Settles when the launcher itself is gone, with its exit code. */
  readonly ended: Promise<number | null>;
  signal(signal: NodeJS.Signals): void;
}

/** Where one launcher after the other may run: a data folder and its ports. */
export interface Site {
  dataFolder: string;
  port: number;
  mediaPort: number;
}

const workersPerSide = "1";

/** A place for launchers; whatever a test leaves running there is killed. */
export async function makeSite(dataFolder: string): Promise<Site> {
  // Of its 300 ports the launcher binds the first few of each hundred, and the
  // system hands none of them out by itself: one that it leaves is for control.
  const block = await takePortBlock();
  const port = block.pipePorts.max;
  onTestFinished(async () => {
    for (const pid of processesOf(dataFolder)) process.kill(pid, "SIGKILL");
    await block.release();
    rmSync(dataFolder, { recursive: true, force: true });
  });
  return { dataFolder, port, mediaPort: block.mediaPort };
}

/** Starts the launcher; it need not come up. */
export function launch(site: Site): LaunchedWeir {
  const child = spawn(process.execPath, [join(root, "control/local/main.ts")], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      WEIR_DATA: site.dataFolder,
      WEIR_PORT: String(site.port),
      WEIR_MEDIA_PORT: String(site.mediaPort),
      WEIR_PRODUCER_WORKERS: workersPerSide,
      WEIR_CONSUMER_WORKERS: workersPerSide,
    },
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      printed += data;
    });
  }
  return {
    pid: child.pid ?? 0,
    port: site.port,
    dataFolder: site.dataFolder,
    printed: () => printed,
    ended: new Promise((resolve) => child.once("close", resolve)),
    signal: (signal) => void child.kill(signal),
  };
}

/** Starts the launcher and waits for its `ready` line. */
export async function launchReady(site: Site): Promise<LaunchedWeir> {
  const weir = launch(site);
  await waitFor(() => /^(ready http|weir:)/m.test(weir.printed()), {
    what: "Weir to be ready",
    timeoutMs: 60_000,
  });
  if (!/^ready http/m.test(weir.printed())) throw new Error(weir.printed());
  return weir;
}

/**
 * Processes that belong to a data folder's run: those that carry its mark. The
 * mark is read from the folder, or given where the folder has lost it already.
 */
export function processesOf(dataFolder: string, runId = runIdOf(dataFolder)): number[] {
  if (!runId) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(`WEIR_RUN=${runId}`));
}

/** The id of the run that a data folder names. */
export function runIdOf(dataFolder: string): string | undefined {
  const file = join(dataFolder, "run.json");
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, "utf8")).runId;
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}
