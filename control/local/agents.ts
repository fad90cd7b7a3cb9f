import { join } from "node:path";
import type { LaunchConfig } from "./config.ts";
import { freePort, type WantedPort } from "./ports.ts";
import type { Child } from "./processes.ts";
import { startChild } from "./processes.ts";
import { runMark } from "./run-file.ts";
import { agentLines } from "./shown-lines.ts";

/** One host of the two that this machine plays. */
export interface HostPlan {
  name: string;
  /** Workers as the agent's environment names them. */
  workers: string;
  workerCount: number;
  mediaPort: number;
  pipePorts: { min: number; max: number };
}

const pipePortsPerHost = 100;
const loopback = "127.0.0.1";

/** The two hosts: one takes broadcasts in, the other serves the viewers. */
export function planHosts(config: LaunchConfig): HostPlan[] {
  const screens = config.screenWorkers;
  const sides = [
    { name: "host-a", role: "producer", cameras: config.producerWorkers },
    { name: "host-b", role: "consumer", cameras: config.consumerWorkers },
  ];
  return sides.map(({ name, role, cameras }, at) => {
    const pipesFrom = config.mediaPort + 100 + at * pipePortsPerHost;
    return {
      name,
      workers: `${role}:camera:${cameras},${role}:screen:${screens}`,
      workerCount: cameras + screens,
      mediaPort: config.mediaPort + at * 50,
      pipePorts: { min: pipesFrom, max: pipesFrom + pipePortsPerHost - 1 },
    };
  });
}

/** The ports on which a host's workers listen for clients. */
export function mediaPorts(config: LaunchConfig, host: HostPlan): WantedPort[] {
  const address = listenIp(config);
  return Array.from({ length: host.workerCount }, (_, at) => at).flatMap((at) =>
    (["udp", "tcp"] as const).map((protocol) => ({
      port: host.mediaPort + at,
      address,
      protocol,
      what: `media of ${host.name}`,
      setting: "WEIR_MEDIA_PORT",
    })),
  );
}

/** An agent that is started again whenever it dies by itself. */
export interface Agent {
  readonly host: HostPlan;
  /** Where its health is asked. */
  readonly healthUrl: string;
  /** Leaves without draining: on one machine everything ends together. */
  stop(graceMs: number): Promise<void>;
}

export interface AgentOptions {
  root: string;
  config: LaunchConfig;
  nodeKey: string;
  runId: string;
  host: HostPlan;
  say: (text: string) => void;
}

const firstRestartMs = 500;
const lastRestartMs = 30_000;
const steadyAfterMs = 60_000;

/** Starts a host's agent and keeps it running. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { host, say } = options;
  const metricsPort = await freePort();
  let stopping = false;
  let child: Child = await spawnAgent(options, metricsPort);
  const stopped = Promise.withResolvers<void>();

  const keepRunning = async (): Promise<void> => {
    let waitMs = firstRestartMs;
    while (!stopping) {
      const startedAt = performance.now();
      const how = await child.ended;
      if (stopping) return;
      if (performance.now() - startedAt > steadyAfterMs) waitMs = firstRestartMs;
      say(`${host.name} ended by itself (${how}): starting it again in ${waitMs} ms`);
      await Promise.race([wait(waitMs), stopped.promise]);
      waitMs = Math.min(waitMs * 2, lastRestartMs);
      if (stopping) return;
      // What a crashed agent leaves behind would keep its ports.
      await child.stop("SIGKILL", 0);
      child = await spawnAgent(options, metricsPort);
    }
  };
  const running = keepRunning();
  return {
    host,
    healthUrl: `http://${loopback}:${metricsPort}/healthz`,
    async stop(graceMs) {
      stopping = true;
      stopped.resolve();
      await child.stop("SIGINT", graceMs);
      await running;
      await child.stop("SIGKILL", 0);
    },
  };
}

function spawnAgent(options: AgentOptions, metricsPort: number): Promise<Child> {
  const { root, config, host } = options;
  // Files get at least info, whatever the terminal shows.
  const logLevel = ["warn", "error"].includes(config.logLevel) ? "info" : config.logLevel;
  return startChild({
    name: host.name,
    args: [join(root, "node-agent/main.ts")],
    env: {
      ...withoutSettings(process.env),
      [runMark]: options.runId,
      WEIR_CONTROL_URL: config.controlUrl,
      WEIR_NODE_KEY: options.nodeKey,
      WEIR_NODE_NAME: host.name,
      WEIR_STATE: join(config.dataFolder, "nodes"),
      WEIR_WORKERS: host.workers,
      WEIR_LISTEN_IP: listenIp(config),
      WEIR_ANNOUNCED_ADDRESS: config.announcedAddress,
      WEIR_MEDIA_PORT: String(host.mediaPort),
      // Both hosts are this machine, so their pipes never leave it.
      WEIR_PIPE_LISTEN_IP: loopback,
      WEIR_PIPE_PORTS: `${host.pipePorts.min}-${host.pipePorts.max}`,
      WEIR_METRICS_PORT: String(metricsPort),
      WEIR_LOG_LEVEL: logLevel,
    },
    cwd: root,
    logFile: join(config.dataFolder, "logs", `${host.name}.log`),
    show: agentLines(config.logLevel),
  });
}

/** The launcher's own variables mean something else to an agent, or are secret. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const passedOn = new Set(["WEIR_EGRESS_KBPS", "WEIR_INGRESS_KBPS"]);
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !name.startsWith("WEIR_") || passedOn.has(name),
    ),
  );
}

function listenIp(config: LaunchConfig): string {
  return config.announcedAddress === loopback ? loopback : "0.0.0.0";
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
