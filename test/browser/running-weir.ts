import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Fleet } from "#schema/api/fleet.ts";
import { waitFor } from "#test/harness/wait-for.ts";

// Rooms of the lobby belong to the account of this key.
const apiKey = `key_local_page.${randomBytes(24).toString("hex")}`;
const operatorKey = `operator-${randomBytes(24).toString("hex")}`;
const main = fileURLToPath(new URL("../../control/local/main.ts", import.meta.url));

/** Messages that a page may leave unread; few, so that a test reaches it. */
export const unreadMax = 150;

/** Cameras that a page shows at once; few, so that a full small room has more. */
const picturesMax = 4;

/** All of Weir on this machine, as `npm start` runs it. */
export class RunningWeir {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #guard: Server;

  private constructor(url: string, child: ChildProcess, folder: string, guard: Server) {
    this.url = url;
    this.#guard = guard;
    this.#process = child;
    this.#folder = folder;
  }

  /**
   * Starts database, control and two hosts on ports and in a folder of their own.
   * @param environment other settings than those of the page's tests
   * @throws Error with what was printed, where it does not come up
   */
  static async start(environment: Record<string, string> = {}): Promise<RunningWeir> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await RunningWeir.#startOnce(environment);
      } catch (error) {
        // Control's runtime picks an inner port by itself, and others may be faster.
        const taken = String(error).includes("Address already in use");
        if (!taken || tries === 3) throw error;
      }
    }
  }

  static async #startOnce(more: Record<string, string>): Promise<RunningWeir> {
    const folder = await mkdtemp(join(tmpdir(), "weir-page-"));
    const { port, mediaPort, guard } = await takePorts();
    const env = {
      ...process.env,
      WEIR_PORT: String(port),
      WEIR_DATA: folder,
      WEIR_API_KEY: apiKey,
      WEIR_OPERATOR_KEY: operatorKey,
      WEIR_MEDIA_PORT: String(mediaPort),
      WEIR_SETTINGS: JSON.stringify({ chat: { unreadMax }, watching: { picturesMax } }),
      WEIR_PRODUCER_WORKERS: "2",
      WEIR_CONSUMER_WORKERS: "2",
      ...more,
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
    const weir = new RunningWeir(`http://localhost:${port}`, child, folder, guard);
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
    this.#guard.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async fleet(): Promise<Fleet> {
    const response = await fetch(`${this.url}/v1/lobby/fleet`);
    return (await response.json()) as Fleet;
  }

  /** Takes all hosts out of service for what is new, or back into it. */
  async cordonAll(cordoned: boolean): Promise<void> {
    const { nodes } = await this.fleet();
    for (const { id } of nodes) {
      const action = cordoned ? "cordon" : "uncordon";
      await this.call("POST", `/v1/nodes/${id}/${action}`, operatorKey);
    }
  }

  /** Closes a room, as an application would. */
  async closeRoom(roomId: string): Promise<void> {
    await this.call("DELETE", `/v1/rooms/${roomId}`, apiKey);
  }

  /**
   * Claims a broadcast for a participant who has no page.
   * @throws Error where it is refused
   */
  async claimBroadcast(roomId: string, identity: string): Promise<void> {
    const tokens = `/v1/lobby/rooms/${roomId}/tokens`;
    const { token } = await this.call("POST", tokens, undefined, { identity });
    const sessions = `/v1/rooms/${roomId}/sessions`;
    const { session, credential } = await this.call("POST", sessions, token, {});
    const broadcasts = `/v1/sessions/${session.id}/broadcasts`;
    await this.call("POST", broadcasts, credential, { media: "camera" });
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers have many shapes.
  async call(method: string, path: string, key?: string, body?: unknown): Promise<any> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: {
        ...(key ? { authorization: `Bearer ${key}` } : {}),
        ...(body ? { "content-type": "application/json" } : {}),
      },
      body: body ? JSON.stringify(body) : undefined,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** Process ids of the mediasoup workers of one host, in no order. */
  workerPids(host: string): number[] {
    return descendants(this.#process.pid ?? 0)
      .filter(({ name, pid }) => name.startsWith("mediasoup") && hostOf(pid) === host)
      .map(({ pid }) => pid);
  }
}

/** 300 ports for one Weir; the guard is kept open to tell others that they are taken. */
async function takePorts(): Promise<{ port: number; mediaPort: number; guard: Server }> {
  for (let tries = 0; tries < 50; tries += 1) {
    // Below the range from which the system hands ports out by itself.
    const mediaPort = 11_000 + randomInt(29) * 300;
    const guard = createServer();
    const taken = await new Promise<boolean>((resolve) => {
      guard.once("error", () => resolve(true));
      guard.listen(mediaPort + 49, "127.0.0.1", () => resolve(false));
    });
    // Between the media ports of the two hosts, which begin 50 apart.
    if (!taken) return { port: mediaPort + 48, mediaPort, guard };
  }
  throw new Error("No ports are free.");
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
