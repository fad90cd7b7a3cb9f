import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "#control/local/ports.ts";
import type { Control } from "./control.ts";
import { takePortBlock } from "./port-block.ts";
import { root } from "./root.ts";
import { waitFor } from "./wait-for.ts";

export interface AgentOptions {
  control: Pick<Control, "url" | "keys">;
  /** The node's name in its zone. */
  name: string;
  /** As in WEIR_WORKERS: "consumer:camera:2,consumer:screen:1". At most 15 workers. */
  workers: string;
  /** More of the agent's environment, or other values. */
  env?: Record<string, string>;
  /** How far its clock is ahead of everybody else's. Default 0. */
  clockOffsetMs?: number;
  /** Default true: wait until it is registered. */
  waitUntilHealthy?: boolean;
}

/** A real node agent with real mediasoup workers, in a process of its own. */
export interface RunningAgent {
  readonly name: string;
  readonly pid: number;
  /** What the agent holds, from its `/state`. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it at many depths.
  state(): Promise<any>;
  /** True once control knows it. */
  healthy(): Promise<boolean>;
  /** The lines that it logged. */
  logs(): string[];
  /**
   * Asks it to leave and waits until it has.
   * @param signal SIGTERM drains, SIGINT leaves at once. Default SIGINT
   * @returns the exit code, or null where a signal ended it
   */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Ends it without a chance to say goodbye. */
  kill(): Promise<void>;
  /** Holds it still, like a host that hangs; `SIGCONT` lets it go on. */
  signal(signal: NodeJS.Signals): void;
}

/** Where tests' agents keep their keys: a name has one on this machine. */
export const stateFolder = join(tmpdir(), "weir-test-nodes");

const startTimeoutMs = 30_000;
const shiftedClock = new URL("shifted-clock.ts", import.meta.url).href;

/**
 * Starts an agent on free ports of the loopback address.
 * @throws Error with the agent's last lines where it does not come up
 */
export async function startAgent(options: AgentOptions): Promise<RunningAgent> {
  const ports = await takePortBlock();
  const metricsPort = await freePort();
  const { clockOffsetMs = 0 } = options;
  const clock = clockOffsetMs ? ["--import", shiftedClock] : [];
  const child = spawn(process.execPath, [...clock, join(root, "node-agent/main.ts")], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      WEIR_CONTROL_URL: options.control.url,
      WEIR_NODE_KEY: options.control.keys.node,
      WEIR_NODE_NAME: options.name,
      WEIR_STATE: stateFolder,
      WEIR_WORKERS: options.workers,
      WEIR_LISTEN_IP: "127.0.0.1",
      WEIR_ANNOUNCED_ADDRESS: "127.0.0.1",
      WEIR_MEDIA_PORT: String(ports.mediaPort),
      WEIR_PIPE_LISTEN_IP: "127.0.0.1",
      WEIR_PIPE_PORTS: `${ports.pipePorts.min}-${ports.pipePorts.max}`,
      WEIR_METRICS_PORT: String(metricsPort),
      WEIR_LOG_LEVEL: "debug",
      WEIR_TEST_CLOCK_OFFSET_MS: String(clockOffsetMs),
      ...options.env,
    },
  });
  const lines = keepLines(child);
  // A test run that ends early must not leave agents behind.
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  const ended = once(child, "exit").then(async ([code]) => {
    process.off("exit", killWithUs);
    await ports.release();
    return code as number | null;
  });
  const status = (path: string) =>
    fetch(`http://127.0.0.1:${metricsPort}${path}`, {
      signal: AbortSignal.timeout(5000),
    });
  const healthy = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const response = await status("/healthz");
    await response.text();
    return response.ok;
  };
  const agent: RunningAgent = {
    name: options.name,
    pid: child.pid ?? 0,
    state: async () => (await status("/state")).json(),
    healthy: () => healthy().catch(() => false),
    logs: () => [...lines],
    async stop(signal = "SIGINT") {
      child.kill(signal);
      return ended;
    },
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    signal: (signal) => void child.kill(signal),
  };
  if (options.waitUntilHealthy === false) return agent;
  try {
    const what = `agent ${options.name} to register`;
    await waitFor(healthy, { what, timeoutMs: startTimeoutMs });
  } catch (error) {
    await agent.kill();
    const tail = lines.slice(-20).join("\n");
    throw new Error(`${(error as Error).message}\n${tail}`, { cause: error });
  }
  return agent;
}

function keepLines(child: ChildProcess): string[] {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line);
      if (lines.length > linesKept * 2) lines.splice(0, linesKept);
    });
  }
  return lines;
}

const linesKept = 5000;
