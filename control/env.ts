import { z } from "zod";
import { firstAccountId, zoneName } from "#schema/ids.ts";
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
  /** The edge's own limiter: absent where the platform has none. */
  ADDRESS_LIMIT?: RateLimit;
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
  WEIR_OPERATOR_KEY_HASH: string;
  WEIR_NODE_KEY_HASH: string;
  WEIR_NODE_ADDRESSES?: string;
  WEIR_SECRET_KEY: string;
  WEIR_SECRET_KEY_PREVIOUS?: string;
  WEIR_LOBBY?: string;
  WEIR_LOBBY_ACCOUNT?: string;
  WEIR_ICE_SERVERS?: string;
  WEIR_TURN_URLS?: string;
  WEIR_TURN_SECRET?: string;
  WEIR_ALLOWED_ORIGINS?: string;
  WEIR_WEBHOOK_LOOPBACK?: string;
  WEIR_STRIPE_WEBHOOK_SECRET?: string;
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

/** Values with commas between them. */
const list = z
  .string()
  .default("")
  .transform((text) => text.split(",").map((part) => part.trim()))
  .transform((parts) => parts.filter((part) => part !== ""));

/** What is kept of a key: its SHA-256. Of several, one is about to replace another. */
const keyHashes = z
  .string()
  .transform((text) => text.split(",").map((hash) => hash.trim().toLowerCase()))
  .pipe(
    z
      .array(z.string().regex(/^[0-9a-f]{64}$/, "is not the SHA-256 of a key, in hex"))
      .min(1),
  );

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
  WEIR_OPERATOR_KEY_HASH: keyHashes,
  WEIR_NODE_KEY_HASH: keyHashes,
  WEIR_NODE_ADDRESSES: list,
  WEIR_SECRET_KEY: z.string().min(32),
  WEIR_SECRET_KEY_PREVIOUS: z
    .union([z.literal("").transform(() => undefined), z.string().min(32)])
    .optional(),
  WEIR_LOBBY_ACCOUNT: z.string().optional(),
  WEIR_LOBBY: z.enum(["open", "closed"]).default("closed"),
  WEIR_ICE_SERVERS: json
    .pipe(
      z
        .array(z.looseObject({ urls: z.union([z.string(), z.array(z.string())]) }))
        .optional(),
    )
    .optional(),
  WEIR_TURN_URLS: list.pipe(
    z.array(z.string().regex(/^turns?:/, "is a list of turn: and turns: addresses")),
  ),
  WEIR_TURN_SECRET: z.string().default(""),
  WEIR_SETTINGS: json.optional(),
  WEIR_WEBHOOK_LOOPBACK: z.enum(["allow", "refuse"]).default("refuse"),
  WEIR_STRIPE_WEBHOOK_SECRET: list,
  WEIR_ALLOWED_ORIGINS: list,
});

/** A STUN or TURN server as browsers take it. */
export interface IceServer {
  urls: string | string[];
  username?: unknown;
  credential?: unknown;
  [more: string]: unknown;
}

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
  /** SHA-256 in hex of each operator key; several while one is being replaced. */
  operatorKeyHashes: string[];
  /** The same of each node key, with which hosts register. */
  nodeKeyHashes: string[];
  /** What hosts may announce beside the address from which they call. */
  nodeAddresses: string[];
  /** Signs session and node credentials, and seals API secrets. */
  secret: Uint8Array;
  /** What it was before: still good for what was signed and sealed with it. */
  previousSecret: Uint8Array | undefined;
  /** Signing secrets of Stripe's webhook; none: no payments are taken. */
  stripeSecrets: string[];
  lobbyOpen: boolean;
  /** The account to which rooms of the lobby belong. */
  lobbyAccountId: string;
  /** The same for every client. */
  iceServers: IceServer[];
  /** A TURN server that makes names and passwords out of a shared secret. */
  turn: { urls: string[]; secret: string } | undefined;
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
  const turn = { urls: data.WEIR_TURN_URLS, secret: data.WEIR_TURN_SECRET };
  if (turn.urls.length > 0 !== (turn.secret !== "")) {
    throw new Error(
      "Configuration: WEIR_TURN_URLS and WEIR_TURN_SECRET are set together",
    );
  }
  const encoder = new TextEncoder();
  const previous = data.WEIR_SECRET_KEY_PREVIOUS;
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
    operatorKeyHashes: data.WEIR_OPERATOR_KEY_HASH,
    nodeKeyHashes: data.WEIR_NODE_KEY_HASH,
    nodeAddresses: data.WEIR_NODE_ADDRESSES,
    secret: encoder.encode(data.WEIR_SECRET_KEY),
    previousSecret: previous ? encoder.encode(previous) : undefined,
    stripeSecrets: data.WEIR_STRIPE_WEBHOOK_SECRET,
    lobbyOpen: data.WEIR_LOBBY === "open",
    lobbyAccountId: data.WEIR_LOBBY_ACCOUNT || firstAccountId(data.WEIR_ZONE),
    iceServers: data.WEIR_ICE_SERVERS ?? [],
    turn: turn.secret === "" ? undefined : turn,
    settings: readSettings(data.WEIR_SETTINGS ?? {}),
    webhookLoopback: data.WEIR_WEBHOOK_LOOPBACK === "allow",
    allowedOrigins: data.WEIR_ALLOWED_ORIGINS,
  };
  configs.set(env, config);
  return config;
}
