import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Fleet } from "#schema/api/fleet.ts";
import { waitFor } from "#test/harness/wait-for.ts";

const main = fileURLToPath(new URL("../../control/local/main.ts", import.meta.url));

/** All of Weir on this machine, as `npm start` runs it. */
export class RunningWeir {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url;
    this.#process = child;
    this.#folder = folder;
  }

  /**
   * Starts database, control and two hosts on ports and in a folder of their own.
   * @throws Error with what was printed, where it does not come up
   */
  static async start(): Promise<RunningWeir> {
    const folder = await mkdtemp(join(tmpdir(), "weir-page-"));
    const port = await freePort();
    // Below the range from which the system hands ports out by itself.
    const mediaPort = 12_000 + Math.floor(Math.random() * 60) * 300;
    const env = {
      ...process.env,
      WEIR_PORT: String(port),
      WEIR_DATA: folder,
      WEIR_MEDIA_PORT: String(mediaPort),
      WEIR_PRODUCER_WORKERS: "2",
      WEIR_CONSUMER_WORKERS: "2",
    };
    const child = spawn(process.execPath, [main], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (data: Buffer) => {
        printed += data.toString();
      });
    }
    const weir = new RunningWeir(`http://localhost:${port}`, child, folder);
    try {
      await waitFor(() => /^ready /m.test(printed) || child.exitCode !== null, {
        what: "Weir to start",
        timeoutMs: 60_000,
      });
      if (child.exitCode !== null) throw new Error("Weir ended.");
    } catch (error) {
      await weir.stop();
      throw new Error(`Weir did not start:\n${printed}`, { cause: error });
    }
    return weir;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = once(this.#process, "exit");
      this.#process.kill("SIGTERM");
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async fleet(): Promise<Fleet> {
    const response = await fetch(`${this.url}/v1/lobby/fleet`);
    return (await response.json()) as Fleet;
  }

  /** Process ids of the mediasoup workers of one host, in no order. */
  workerPids(host: string): number[] {
    return descendants(this.#process.pid ?? 0)
      .filter(({ name, pid }) => name.startsWith("mediasoup") && hostOf(pid) === host)
      .map(({ pid }) => pid);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}

interface ProcessRow {
  pid: number;
  parent: number;
  name: string;
}

function descendants(root: number): ProcessRow[] {
  const text = execFileSync("ps", ["-eo", "pid=,ppid=,comm="], { encoding: "utf8" });
  const rows = text.split("\n").flatMap((line): ProcessRow[] => {
    const [pid, parent, name] = line.trim().split(/\s+/);
    return name ? [{ pid: Number(pid), parent: Number(parent), name }] : [];
  });
  const found: ProcessRow[] = [];
  const below = new Set([root]);
  // Rows are in no order: looked through until a round finds nothing new.
  for (let size = 0; size !== below.size; ) {
    size = below.size;
    for (const row of rows) {
      if (!below.has(row.parent) || below.has(row.pid)) continue;
      below.add(row.pid);
      found.push(row);
    }
  }
  return found;
}

// A mediasoup worker inherits its agent's environment, which names the host.
function hostOf(pid: number): string | undefined {
  const text = execFileSync("cat", [`/proc/${pid}/environ`], { encoding: "utf8" });
  return /(?:^|\0)WEIR_NODE_NAME=([^\0]*)/.exec(text)?.[1];
}
