import { z } from "zod";
import { zoneName } from "#schema/ids.ts";
import { readSettings, type Settings } from "#schema/settings.ts";
import type { NodeMailbox } from "./objects/node-mailbox.ts";
import type { RoomChannel } from "./objects/room-channel.ts";
import type { WebhookCourier } from "./objects/webhook-courier.ts";
import type { ZoneBroker } from "./objects/zone-broker.ts";

/** What wrangler.toml binds, and the secrets that a deployment sets. */
export interface Env {
  ZONE_BROKER: DurableObjectNamespace<ZoneBroker>;
  NODE_MAILBOX: DurableObjectNamespace<NodeMailbox>;
  ROOM_CHANNEL: DurableObjectNamespace<RoomChannel>;
  WEBHOOK_COURIER: DurableObjectNamespace<WebhookCourier>;
  ASSETS: Fetcher;
  WEIR_ZONE: string;
  CONTROL_DB_URL: string;
  CONTROL_DB_TOKEN: string;
  SESSIONS_DB_URL: string;
  SESSIONS_DB_TOKEN: string;
  ACCOUNTS_DB_URL: string;
  ACCOUNTS_DB_TOKEN: string;
  ACCOUNTS_REPLICA_URL?: string;
  ACCOUNTS_REPLICA_TOKEN?: string;
  PREMIUM_DB_URL?: string;
  PREMIUM_DB_TOKEN?: string;
  WEIR_API_KEY: string;
  WEIR_OPERATOR_KEY: string;
  WEIR_NODE_KEY: string;
  WEIR_SECRET_KEY: string;
  WEIR_LOBBY?: string;
  WEIR_ICE_SERVERS?: string;
  WEIR_ALLOWED_ORIGINS?: string;
  WEIR_WEBHOOK_LOOPBACK?: string;
  WEIR_SETTINGS?: string;
}

const json = z.string().transform((text, context): unknown => {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
});

const optionalUrl = z
  .union([z.literal("").transform(() => undefined), z.url()])
  .optional();

const configSchema = z.object({
  WEIR_ZONE: zoneName,
  CONTROL_DB_URL: z.url(),
  CONTROL_DB_TOKEN: z.string().default(""),
  SESSIONS_DB_URL: z.url(),
  SESSIONS_DB_TOKEN: z.string().default(""),
  ACCOUNTS_DB_URL: z.url(),
  ACCOUNTS_DB_TOKEN: z.string().default(""),
  ACCOUNTS_REPLICA_URL: optionalUrl,
  ACCOUNTS_REPLICA_TOKEN: z.string().optional(),
  PREMIUM_DB_URL: optionalUrl,
  PREMIUM_DB_TOKEN: z.string().default(""),
  WEIR_API_KEY: z
    .string()
    .regex(
      /^key_[a-z0-9]+_[a-z0-9]+\.[A-Za-z0-9_-]{20,}$/,
      "has to be <key id>.<secret>",
    ),
  WEIR_OPERATOR_KEY: z.string().min(20),
  WEIR_NODE_KEY: z.string().min(20),
  WEIR_SECRET_KEY: z.string().min(32),
  WEIR_LOBBY: z.enum(["open", "closed"]).default("closed"),
  WEIR_ICE_SERVERS: json
    .pipe(
      z
        .array(z.looseObject({ urls: z.union([z.string(), z.array(z.string())]) }))
        .optional(),
    )
    .optional(),
  WEIR_SETTINGS: json.optional(),
  WEIR_WEBHOOK_LOOPBACK: z.enum(["allow", "refuse"]).default("refuse"),
  WEIR_ALLOWED_ORIGINS: z
    .string()
    .default("")
    .transform((text) => text.split(",").map((origin) => origin.trim()))
    .transform((origins) => origins.filter((origin) => origin !== "")),
});

/** Where a database is, and the token that it asks for. */
export interface DatabaseAddress {
  url: string;
  token: string;
}

/** The deployment's configuration, checked. */
export interface Config {
  zone: string;
  controlDb: DatabaseAddress;
  sessionsDb: DatabaseAddress;
  accountsDb: DatabaseAddress;
  /** A read-only copy of the accounts that serves room entry, if there is one. */
  accountsReplica: DatabaseAddress | undefined;
  /** Absent where no payments are taken. */
  premiumDb: DatabaseAddress | undefined;
  apiKey: { id: string; secret: string };
  operatorKey: string;
  nodeKey: string;
  /** Signs session and node credentials. */
  secret: Uint8Array;
  lobbyOpen: boolean;
  iceServers: { urls: string | string[] }[];
  settings: Settings;
  /** For development: webhooks may go to this machine. */
  webhookLoopback: boolean;
  /** Origins besides control's own whose pages may use it. */
  allowedOrigins: string[];
}

// The environment is one object per isolate: it is read and checked once.
const configs = new WeakMap<object, Config>();

/**
 * Reads the environment.
 * @throws Error that names the first variable that is wrong
 */
export function configOf(env: Env): Config {
  const known = configs.get(env);
  if (known) return known;
  const parsed = configSchema.safeParse(env);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`Configuration: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { data } = parsed;
  const [keyId = "", secret = ""] = data.WEIR_API_KEY.split(".");
  const config: Config = {
    zone: data.WEIR_ZONE,
    controlDb: { url: data.CONTROL_DB_URL, token: data.CONTROL_DB_TOKEN },
    sessionsDb: { url: data.SESSIONS_DB_URL, token: data.SESSIONS_DB_TOKEN },
    accountsDb: { url: data.ACCOUNTS_DB_URL, token: data.ACCOUNTS_DB_TOKEN },
    accountsReplica: data.ACCOUNTS_REPLICA_URL
      ? {
          url: data.ACCOUNTS_REPLICA_URL,
          token: data.ACCOUNTS_REPLICA_TOKEN ?? data.ACCOUNTS_DB_TOKEN,
        }
      : undefined,
    premiumDb: data.PREMIUM_DB_URL
      ? { url: data.PREMIUM_DB_URL, token: data.PREMIUM_DB_TOKEN }
      : undefined,
    apiKey: { id: keyId, secret },
    operatorKey: data.WEIR_OPERATOR_KEY,
    nodeKey: data.WEIR_NODE_KEY,
    secret: new TextEncoder().encode(data.WEIR_SECRET_KEY),
    lobbyOpen: data.WEIR_LOBBY === "open",
    iceServers: data.WEIR_ICE_SERVERS ?? [],
    settings: readSettings(data.WEIR_SETTINGS ?? {}),
    webhookLoopback: data.WEIR_WEBHOOK_LOOPBACK === "allow",
    allowedOrigins: data.WEIR_ALLOWED_ORIGINS,
  };
  configs.set(env, config);
  return config;
}
