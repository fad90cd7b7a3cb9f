import { isIP } from "node:net";
import { resolve } from "node:path";
import { z } from "zod";
import type { Settings } from "#schema/settings.ts";
import { readSettings } from "#schema/settings.ts";

/** A wrong setting or machine, told in one line with its remedy. */
export class LaunchError extends Error {
  override name = "LaunchError";
}

const port = z.coerce
  .number({ error: "is no port: use a number from 1024 to 65535" })
  .int()
  .min(1024, { error: "is below 1024: use a number from 1024 to 65535" })
  .max(65_535, { error: "is over 65535: use a number from 1024 to 65535" });

// Ports are handed out in blocks, so both hosts together must fit into one.
const workersMax = 12;
const workers = z.coerce
  .number({ error: `is no number: use one from 1 to ${workersMax}` })
  .int({ error: "is no whole number" })
  .min(1, { error: "is too few: use 1 or more" })
  .max(workersMax, { error: `is too many for one machine: use at most ${workersMax}` });

const levels = ["trace", "debug", "info", "warn", "error"] as const;

const settingsJson = z.string().transform((text, context) => {
  try {
    const overrides = JSON.parse(text);
    return { overrides, settings: readSettings(overrides) };
  } catch (error) {
    const message = `cannot be used: ${(error as Error).message}`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  }
});

const environment = z.object({
  /** HTTP port of control. Default 8787. */
  WEIR_PORT: port.default(8787),
  /** Address that control listens on. Default 127.0.0.1. */
  WEIR_HOST: z
    .string()
    .refine((text) => isIP(text) !== 0, { error: "is no IP address: use 0.0.0.0 or one" })
    .default("127.0.0.1"),
  /** Where browsers reach control. Default: WEIR_HOST, as localhost where it can be. */
  WEIR_PUBLIC_URL: z
    .url({
      protocol: /^https?$/,
      error: "is no http(s) URL: use https://weir.example.org",
    })
    .optional(),
  /** Folder of databases, keys, logs and object storage. Default ./.weir. */
  WEIR_DATA: z.string().default(".weir"),
  WEIR_API_KEY: z
    .string()
    .regex(/^key_[a-z0-9]+_[a-z0-9]+\.[A-Za-z0-9_-]{20,}$/, {
      error: "is no API key (<key id>.<secret>): leave it out and one is made",
    })
    .optional(),
  WEIR_OPERATOR_KEY: z
    .string()
    .min(20, { error: "is too short: leave it out and one is made" })
    .optional(),
  WEIR_NODE_KEY: z
    .string()
    .min(20, { error: "is too short: leave it out and one is made" })
    .optional(),
  WEIR_SECRET_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: "is not 64 hex digits: leave it out" })
    .optional(),
  /** What the secret key was, while it is being replaced. */
  WEIR_SECRET_KEY_PREVIOUS: z
    .string()
    .regex(/^[0-9a-f]{64}$/, { error: "is not 64 hex digits" })
    .default(""),
  /** Signing secret of Stripe's webhook, to try payments. Default: none are taken. */
  WEIR_STRIPE_WEBHOOK_SECRET: z.string().default(""),
  /** The address that browsers send media to. Default 127.0.0.1. */
  WEIR_ANNOUNCED_ADDRESS: z.string().min(1).max(255).default("127.0.0.1"),
  /** The first of 300 ports for media and pipes. Default 44000. */
  WEIR_MEDIA_PORT: port
    .max(65_235, { error: "leaves no room: use at most 65235" })
    .default(44_000),
  /** Camera workers that take broadcasts in, one core each. Default 4. */
  WEIR_PRODUCER_WORKERS: workers.default(4),
  /** Camera workers that serve viewers, one core each. Default 4. */
  WEIR_CONSUMER_WORKERS: workers.default(4),
  /** Screen workers on each side. Default 1. */
  WEIR_SCREEN_WORKERS: workers.default(1),
  /** JSON that overrides any part of the settings' shape. Default {}. */
  WEIR_SETTINGS: settingsJson.prefault("{}"),
  /** JSON list of STUN and TURN servers that clients are told. Default none. */
  WEIR_ICE_SERVERS: z.string().default("[]"),
  /** A coturn with `use-auth-secret`: its addresses with commas, and the secret. */
  WEIR_TURN_URLS: z.string().default(""),
  WEIR_TURN_SECRET: z.string().default(""),
  /** Whether the page lets anybody open rooms. Default open, on this one machine. */
  WEIR_LOBBY: z
    .enum(["open", "closed"], { error: "is neither open nor closed" })
    .default("open"),
  /** What the terminal shows of the parts' logs; files get all. Default warn. */
  WEIR_LOG_LEVEL: z
    .enum(levels, { error: `is none of ${levels.join(", ")}` })
    .default("warn"),
});

/** Everything that the launcher is told by its environment. */
export interface LaunchConfig {
  port: number;
  host: string;
  /** Where control is reached on this machine. */
  controlUrl: string;
  publicUrl: string;
  dataFolder: string;
  /** Keys that were given; the others are made at the first start. */
  givenKeys: { api?: string; operator?: string; node?: string; secret?: string };
  /** The secret key before the present one; empty: there is none. */
  previousSecret: string;
  stripeWebhookSecret: string;
  announcedAddress: string;
  mediaPort: number;
  producerWorkers: number;
  consumerWorkers: number;
  screenWorkers: number;
  /** The settings' overrides as they were given, and what they amount to. */
  settingsOverrides: unknown;
  settings: Settings;
  iceServers: string;
  turnUrls: string;
  turnSecret: string;
  lobby: "open" | "closed";
  logLevel: (typeof levels)[number];
}

/**
 * Reads the launcher's settings from environment variables.
 * @param env the process's environment
 * @throws LaunchError naming the first wrong variable and its remedy
 */
export function readLaunchConfig(env: Record<string, string | undefined>): LaunchConfig {
  // An empty variable means the same as none, as in `WEIR_PORT= npm start`.
  const given = Object.entries(env).filter(([, value]) => value !== "");
  const parsed = environment.safeParse(Object.fromEntries(given));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new LaunchError(`${String(issue?.path[0])} ${issue?.message}`);
  }
  const read = parsed.data;
  const host = reachable(read.WEIR_HOST);
  // Browsers allow a camera on plain HTTP for this name only.
  const shownHost = host === "127.0.0.1" ? "localhost" : host;
  return {
    port: read.WEIR_PORT,
    host: read.WEIR_HOST,
    controlUrl: `http://${host}:${read.WEIR_PORT}`,
    publicUrl: read.WEIR_PUBLIC_URL ?? `http://${shownHost}:${read.WEIR_PORT}`,
    dataFolder: resolve(read.WEIR_DATA),
    givenKeys: {
      api: read.WEIR_API_KEY,
      operator: read.WEIR_OPERATOR_KEY,
      node: read.WEIR_NODE_KEY,
      secret: read.WEIR_SECRET_KEY,
    },
    previousSecret: read.WEIR_SECRET_KEY_PREVIOUS,
    stripeWebhookSecret: read.WEIR_STRIPE_WEBHOOK_SECRET,
    announcedAddress: read.WEIR_ANNOUNCED_ADDRESS,
    mediaPort: read.WEIR_MEDIA_PORT,
    producerWorkers: read.WEIR_PRODUCER_WORKERS,
    consumerWorkers: read.WEIR_CONSUMER_WORKERS,
    screenWorkers: read.WEIR_SCREEN_WORKERS,
    settingsOverrides: read.WEIR_SETTINGS.overrides,
    settings: read.WEIR_SETTINGS.settings,
    iceServers: read.WEIR_ICE_SERVERS,
    turnUrls: read.WEIR_TURN_URLS,
    turnSecret: read.WEIR_TURN_SECRET,
    lobby: read.WEIR_LOBBY,
    logLevel: read.WEIR_LOG_LEVEL,
  };
}

/** One does not connect to "all addresses", and IPv6 takes brackets in a URL. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
