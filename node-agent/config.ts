import { isIP } from "node:net";
import { z } from "zod";
import { nodeName } from "#schema/ids.ts";
import type { MediaClass, WorkerRole } from "#schema/settings.ts";

/** One mediasoup worker that the agent has to run. */
export interface WorkerPlan {
  role: WorkerRole;
  mediaClass: MediaClass;
  /** Points of a calibrated consumer worker; the zone's default where absent. */
  points?: number;
}

/** A closed range of UDP ports. */
interface PortRange {
  min: number;
  max: number;
}

const port = z.coerce.number().int().min(1).max(65_535);
const positive = z.coerce.number().int().positive();
const ipAddress = z.string().refine((text) => isIP(text) !== 0, {
  error: "is not an IP address: use one like 203.0.113.7",
});

function isWildcard(ip: string): boolean {
  return ip === "0.0.0.0" || ip === "::";
}

const workersHint = 'use "role:class:count[:points]", comma separated';

const workerPlans = z.string().transform((text, context): WorkerPlan[] => {
  const plans: WorkerPlan[] = [];
  for (const part of text.split(",")) {
    const match =
      /^(producer|consumer):(camera|screen):([1-9]\d{0,2})(?::([1-9]\d{0,3}))?$/.exec(
        part.trim(),
      );
    if (!match) {
      context.addIssue({
        code: "custom",
        message: `cannot read "${part}": ${workersHint}`,
      });
      return z.NEVER;
    }
    const [, role, mediaClass, count, points] = match;
    for (let index = 0; index < Number(count); index += 1) {
      plans.push({
        role: role as WorkerRole,
        mediaClass: mediaClass as MediaClass,
        ...(points ? { points: Number(points) } : {}),
      });
    }
  }
  return plans;
});

const portRange = z.string().transform((text, context): PortRange => {
  const [min = 0, max = 0] = text.split("-").map(Number);
  const fits = Number.isInteger(min) && Number.isInteger(max) && min >= 1024;
  if (fits && max <= 65_535 && max > min) return { min, max };
  context.addIssue({
    code: "custom",
    message: `"${text}" is no port range: use one like 41000-41999`,
  });
  return z.NEVER;
});

const environment = z
  .object({
    WEIR_CONTROL_URL: z.url({
      protocol: /^https?$/,
      error: "is not an http(s) URL: use one like https://control.example.org",
    }),
    WEIR_NODE_KEY: z.string({ error: "is missing: take the zone's node key" }).min(8, {
      error: "is too short to be the zone's node key",
    }),
    WEIR_NODE_NAME: nodeName,
    WEIR_STATE: z.string().min(1).default(".weir/state"),
    WEIR_WORKERS: workerPlans,
    WEIR_LISTEN_IP: ipAddress.default("0.0.0.0"),
    WEIR_ANNOUNCED_ADDRESS: z.string().min(1).max(255).optional(),
    WEIR_MEDIA_PORT: port.default(40_000),
    WEIR_PIPE_LISTEN_IP: ipAddress.optional(),
    WEIR_PIPE_ANNOUNCED_ADDRESS: ipAddress.optional(),
    WEIR_PIPE_PORTS: portRange.prefault("41000-41999"),
    WEIR_EGRESS_KBPS: positive.default(1_000_000),
    WEIR_INGRESS_KBPS: positive.default(1_000_000),
    WEIR_EGRESS_QUOTA_GB: positive.optional(),
    WEIR_METRICS_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
    WEIR_LOG_LEVEL: z
      .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
      .default("info"),
    WEIR_DRAIN_MS: z.coerce.number().int().min(0).default(30_000),
    WEIR_KEY_FRAME_REQUEST_DELAY_MS: z.coerce.number().int().min(0).default(1000),
  })
  .superRefine((env, context) => {
    const last = env.WEIR_MEDIA_PORT + env.WEIR_WORKERS.length - 1;
    const { min, max } = env.WEIR_PIPE_PORTS;
    if (last > 65_535) {
      context.addIssue({
        code: "custom",
        path: ["WEIR_MEDIA_PORT"],
        message: "leaves no port for every worker: use a lower one",
      });
    }
    if (env.WEIR_MEDIA_PORT <= max && last >= min) {
      context.addIssue({
        code: "custom",
        path: ["WEIR_PIPE_PORTS"],
        message: `overlaps the media ports ${env.WEIR_MEDIA_PORT}-${last}: keep them apart`,
      });
    }
    if (isWildcard(env.WEIR_LISTEN_IP) && !env.WEIR_ANNOUNCED_ADDRESS) {
      context.addIssue({
        code: "custom",
        path: ["WEIR_ANNOUNCED_ADDRESS"],
        message: `is needed while WEIR_LISTEN_IP is ${env.WEIR_LISTEN_IP}: set the address that clients reach`,
      });
    }
    const pipeIp = env.WEIR_PIPE_LISTEN_IP ?? env.WEIR_LISTEN_IP;
    const announced = env.WEIR_PIPE_ANNOUNCED_ADDRESS ?? env.WEIR_ANNOUNCED_ADDRESS;
    const addressed = !isWildcard(pipeIp) || (announced && isIP(announced));
    if (!addressed && (announced || !isWildcard(env.WEIR_LISTEN_IP))) {
      context.addIssue({
        code: "custom",
        path: ["WEIR_PIPE_ANNOUNCED_ADDRESS"],
        message: "is needed: set the IP address that other nodes reach",
      });
    }
  });

/** Everything that an agent is told by its environment. */
export interface AgentConfig {
  controlUrl: string;
  nodeKey: string;
  nodeName: string;
  /** The folder in which the node keeps its key. */
  stateFolder: string;
  workers: WorkerPlan[];
  listenIp: string;
  announcedAddress?: string;
  /** The WebRtcServer of worker number i listens on `mediaPort + i`. */
  mediaPort: number;
  pipeListenIp: string;
  /** The address that other nodes are told to send pipes to. */
  pipeAddress: string;
  pipePorts: PortRange;
  egressKbps: number;
  ingressKbps: number;
  egressQuotaGbPerMonth?: number;
  /** Loopback port of health, metrics and state; 0 turns them off. */
  metricsPort: number;
  logLevel: string;
  /** How long a draining agent waits for its last claim. */
  drainMs: number;
  /** Least time between two keyframe requests to a broadcaster. */
  keyFrameRequestDelayMs: number;
}

/** Thrown for wrong settings: one line per setting, each with its remedy. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/**
 * Reads the agent's settings from environment variables.
 * @param env the process's environment
 * @throws ConfigError with a line for each setting that is wrong
 */
export function readConfig(env: Record<string, string | undefined>): AgentConfig {
  // An empty variable means the same as none: `FOO= weir` is how one unsets.
  const given = Object.entries(env).filter(([, value]) => value !== "");
  const parsed = environment.safeParse(Object.fromEntries(given));
  if (!parsed.success) {
    const lines = new Map<string, string>();
    for (const issue of parsed.error.issues) {
      const name = String(issue.path[0]);
      // One line per setting: its first fault is mostly the cause of the rest.
      if (lines.has(name)) continue;
      const missing = !env[name] && issue.code === "invalid_type";
      const fault = missing ? "is missing: set it in the environment" : issue.message;
      lines.set(name, `${name} ${fault}`);
    }
    throw new ConfigError([...lines.values()].join("\n"));
  }
  const read = parsed.data;
  const pipeListenIp = read.WEIR_PIPE_LISTEN_IP ?? read.WEIR_LISTEN_IP;
  const announced = read.WEIR_ANNOUNCED_ADDRESS;
  const announcedIp = announced && isIP(announced) ? announced : undefined;
  const bound = isWildcard(pipeListenIp) ? undefined : read.WEIR_PIPE_LISTEN_IP;
  const fallback = bound ?? announcedIp ?? pipeListenIp;
  return {
    controlUrl: read.WEIR_CONTROL_URL.replace(/\/+$/, ""),
    nodeKey: read.WEIR_NODE_KEY,
    nodeName: read.WEIR_NODE_NAME,
    stateFolder: read.WEIR_STATE,
    workers: read.WEIR_WORKERS,
    listenIp: read.WEIR_LISTEN_IP,
    announcedAddress: announced,
    mediaPort: read.WEIR_MEDIA_PORT,
    pipeListenIp,
    pipeAddress: read.WEIR_PIPE_ANNOUNCED_ADDRESS ?? fallback,
    pipePorts: read.WEIR_PIPE_PORTS,
    egressKbps: read.WEIR_EGRESS_KBPS,
    ingressKbps: read.WEIR_INGRESS_KBPS,
    egressQuotaGbPerMonth: read.WEIR_EGRESS_QUOTA_GB,
    metricsPort: read.WEIR_METRICS_PORT,
    logLevel: read.WEIR_LOG_LEVEL,
    drainMs: read.WEIR_DRAIN_MS,
    keyFrameRequestDelayMs: read.WEIR_KEY_FRAME_REQUEST_DELAY_MS,
  };
}
