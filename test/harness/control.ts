import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@libsql/client/web";
import { createTestHarness } from "wrangler";
import {
  databaseEnvironment,
  startDatabases,
  stopDatabases,
} from "#control/local/databases.ts";
import type { DatabaseOptions, DatabaseServer } from "#control/local/hrana-server.ts";
import type { Keys } from "#control/local/keys.ts";
import { hashOfKey, makeKeys } from "#control/local/keys.ts";
import { provisionFirstAccount } from "#control/local/provision.ts";
import { type DatabaseName, databaseNames } from "#schema/databases.ts";
import type { SettingsInput } from "#schema/settings.ts";
import { childrenOf } from "./children.ts";
import { type ObjectBinding, workerInput } from "./control-worker.ts";
import { type TestDatabase, testDatabase } from "./databases.ts";
import { type Replica, startReplica } from "./replica.ts";
import { root } from "./root.ts";
import { waitFor } from "./wait-for.ts";

// The harness would look a placeholder up on the network.
process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= "false";
process.env.WRANGLER_SEND_METRICS ??= "false";

export interface ControlOptions {
  /** Any part of the settings' shape. Default {}. */
  settings?: SettingsInput;
  /** Default closed, as in production. */
  lobby?: "open" | "closed";
  /** Whether webhooks may go to this machine. Default false. */
  webhookLoopback?: boolean;
  /** Latency and faults of the control database. Default none. */
  database?: Disturbance;
  /** The same for the other databases. Default none. */
  databases?: Partial<Record<DatabaseName, Disturbance>>;
  /** Whether room entry reads a replica of the accounts. Default false. */
  accountsReplica?: boolean;
  /** WEIR_SECRET_KEY as it was when the first key was made. Default: as it is. */
  formerSecret?: string;
  /** Signing secret of the payment webhook. Default: no payments are taken. */
  stripeSecret?: string;
  /** Default "local". */
  zone?: string;
  /** A node key that was valid before the present one. Default none. */
  previousNodeKey?: string;
  /** As WEIR_ALLOWED_ORIGINS. Default none. */
  allowedOrigins?: string;
  /** As WEIR_NODE_ADDRESSES. Default none. */
  nodeAddresses?: string;
  /** Whether `endObject` works. Default false. */
  mortalObjects?: boolean;
  /** More of control's environment. */
  env?: Record<string, string>;
}

/** What may go wrong with a database's requests. */
export type Disturbance = Pick<DatabaseOptions, "latencyMs" | "faults" | "streamTtlMs">;

const endless = { burst: 1_000_000, perSecond: 1_000_000 };

/** Settings for what measures how fast control is from one address. */
export const noLimits: SettingsInput["limits"] = {
  address: endless,
  open: endless,
  entry: endless,
  identity: endless,
  room: endless,
};

/** The real control on real databases, in a folder of its own. */
export interface Control {
  readonly url: string;
  readonly zone: string;
  readonly keys: Keys;
  /** The control database's server: `stop` and `resume` make an outage. */
  readonly databaseServer: DatabaseServer;
  /** A client that looks into the control database. */
  readonly database: Client;
  /** All four, each to be stopped alone and looked into. */
  readonly databases: Record<DatabaseName, TestDatabase>;
  /** The replica of the accounts, where one was asked for. */
  readonly replica: Replica | undefined;
  /** Calls a route; `key` becomes its bearer, a text with a type or an object its body. */
  call(method: string, path: string, options?: CallOptions): Promise<CallAnswer>;
  /**
   * Ends a Durable Object's life in memory; its storage stays.
   * @param className the exported class
   * @param name the name that the object was made from
   * @param webSockets what becomes of its sockets. Default "hibernate"
   */
  evict(
    className: string,
    name: string,
    webSockets?: "close" | "hibernate",
  ): Promise<void>;
  /**
   * Ends a Durable Object in the middle of what it does, as the platform does for
   * an update: its calls and sockets break, its storage stays. Takes `mortalObjects`.
   */
  endObject(binding: ObjectBinding, name: string): Promise<void>;
  /**
   * Frees what control's heap holds in vain. Takes `mortalObjects` and a runtime with
   * --expose-gc.
   */
  collect(): Promise<void>;
  /**
   * Kills the runtime, which wrangler then starts again: every object loses its
   * memory in the middle of what it does, and keeps its storage. The address stays.
   */
  crash(): Promise<void>;
  /** Fires the cron trigger once and waits for its handler. */
  cron(): Promise<void>;
  /** What the workers logged, for a test that failed or looks for secrets. */
  logs(): string[];
  stop(): Promise<void>;
}

export interface CallOptions {
  key?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface CallAnswer {
  status: number;
  headers: Headers;
  /** The parsed JSON, or undefined where the body is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes.
  body: any;
}

/**
 * Starts control from the real wrangler.toml. Each one has keys, database and
 * objects of its own, so tests may run beside each other.
 */
export async function startControl(options: ControlOptions = {}): Promise<Control> {
  const zone = options.zone ?? "local";
  const folder = mkdtempSync(join(tmpdir(), "weir-control-"));
  const keys = makeKeys(zone);
  const token = "test-database-token";
  // Migrations are no part of what a test wants to see fail or wait.
  let migrated = false;
  const disturbed = (disturbance: Disturbance = {}): Partial<DatabaseOptions> => ({
    ...disturbance,
    latencyMs: 0,
    async faults(requests) {
      if (!migrated) return "none";
      const latencyMs = disturbance.latencyMs ?? 0;
      if (latencyMs > 0) await delay(latencyMs);
      return disturbance.faults?.(requests) ?? "none";
    },
  });
  const disturbances = { control: options.database, ...options.databases };
  const each = Object.fromEntries(
    databaseNames.map((name) => [name, disturbed(disturbances[name])]),
  );
  const servers = await startDatabases({ root, folder, token, each });
  const { formerSecret } = options;
  const provisioned = formerSecret ? { ...keys, secret: formerSecret } : keys;
  await provisionFirstAccount(servers.accounts, token, zone, provisioned);
  migrated = true;
  const databases = Object.fromEntries(
    databaseNames.map((name) => [name, testDatabase(servers[name])]),
  ) as Record<DatabaseName, TestDatabase>;
  const primary = databases.accounts.client;
  const replica = options.accountsReplica
    ? await startReplica({ root, folder, token, primary })
    : undefined;
  const vars = {
    WEIR_ZONE: zone,
    WEIR_LOBBY: options.lobby ?? "closed",
    WEIR_ALLOWED_ORIGINS: options.allowedOrigins ?? "",
    WEIR_NODE_ADDRESSES: options.nodeAddresses ?? "",
    WEIR_SETTINGS: JSON.stringify(options.settings ?? {}),
    ...databaseEnvironment(servers, token),
    ACCOUNTS_REPLICA_URL: replica?.url ?? "",
    WEIR_WEBHOOK_LOOPBACK: options.webhookLoopback ? "allow" : "refuse",
    ...options.env,
  };
  const nodeKeys = [keys.node, options.previousNodeKey].flatMap((key) => key ?? []);
  const secrets = {
    WEIR_OPERATOR_KEY_HASH: hashOfKey(keys.operator),
    WEIR_NODE_KEY_HASH: nodeKeys.map(hashOfKey).join(","),
    WEIR_SECRET_KEY: keys.secret,
    WEIR_SECRET_KEY_PREVIOUS: formerSecret ?? "",
    WEIR_STRIPE_WEBHOOK_SECRET: options.stripeSecret ?? "",
  };
  const input = workerInput({ vars, secrets }, options.mortalObjects ?? false);
  const harness = createTestHarness({ root, workers: [input] });
  const { url } = await harness.listen();
  const origin = url.origin;
  const worker = harness.getWorker();
  const command = async (path: string) => {
    const { ok, status } = await worker.fetch(path);
    if (!ok) throw new Error(`${path} was answered with ${status}`);
  };
  return {
    url: origin,
    zone,
    keys,
    databaseServer: servers.control,
    database: databases.control.client,
    databases,
    replica,
    call: (method, path, callOptions) => call(origin, method, path, callOptions),
    evict: (className, name, webSockets = "hibernate") =>
      worker.evictDurableObject(className, { name, webSockets }),
    endObject: (binding, name) => command(`/end/${binding}/${encodeURIComponent(name)}`),
    collect: () => command("/collect"),
    async crash() {
      const runtime = childrenOf(process.pid, "workerd").at(-1);
      if (!runtime) throw new Error("There is no runtime to kill.");
      process.kill(runtime, "SIGKILL");
      const answers = async () => {
        const signal = AbortSignal.timeout(2000);
        const { ok } = await fetch(new URL("/livez", origin), { signal });
        const newest = childrenOf(process.pid, "workerd").at(-1);
        return ok && newest !== undefined && newest !== runtime;
      };
      await waitFor(answers, { what: "control to be back", timeoutMs: 60_000 });
    },
    async cron() {
      const { outcome } = await worker.scheduled({ cron: "* * * * *" });
      if (outcome !== "ok") throw new Error(`The cron handler ended with ${outcome}`);
    },
    logs: () => harness.getLogs().map(({ level, message }) => `${level}: ${message}`),
    async stop() {
      await harness.close();
      for (const { client } of Object.values(databases)) client.close();
      await replica?.close();
      await stopDatabases(servers);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function call(
  origin: string,
  method: string,
  path: string,
  { key, body, headers }: CallOptions = {},
): Promise<CallAnswer> {
  const response = await fetch(new URL(path, origin), {
    method,
    headers: {
      ...(key ? { authorization: `Bearer ${key}` } : {}),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    body: bodyText(body, headers?.["content-type"]),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parseJson(text) };
}

function bodyText(body: unknown, type = "application/json"): string | undefined {
  if (body === undefined) return undefined;
  const isText = typeof body === "string" && !type.endsWith("json");
  return isText ? body : JSON.stringify(body);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
