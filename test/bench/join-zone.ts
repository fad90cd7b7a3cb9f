import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@libsql/client/web";
import { Broker } from "#control/broker/broker.ts";
import type {
  DecisionInput,
  DecisionName,
  DecisionOutput,
} from "#control/broker/decisions.ts";
import {
  type DatabaseServer,
  type Fault,
  startDatabase,
} from "#control/local/hrana-server.ts";
import { migrateDatabase } from "#control/local/migrate.ts";
import type { Settings } from "#schema/settings.ts";
import { type FleetShape, writeFleet } from "./join-fleet.ts";

/** A database server in this process, and what reached it. */
export interface BenchDatabase {
  readonly server: DatabaseServer;
  /** Speaks to the server with no socket between. */
  readonly client: Client;
  /** Added to every round trip, in milliseconds; may change at any time. */
  latencyMs: number;
  /** Requests that the server was sent. */
  requests: number;
  close(): Promise<void>;
}

const migrations = new URL("../../schema/control/migrations", import.meta.url);

/** Starts a database with the ledger's tables and nothing in them. */
export async function startBenchDatabase(): Promise<BenchDatabase> {
  const folder = mkdtempSync(join(tmpdir(), "weir-bench-"));
  const database = { latencyMs: 0, requests: 0 };
  const server = await startDatabase({
    file: join(folder, "control.db"),
    async faults(): Promise<Fault> {
      database.requests += 1;
      if (database.latencyMs > 0) await delay(database.latencyMs);
      return "none";
    },
  });
  await migrateDatabase({ url: server.url, folder: fileURLToPath(migrations) });
  const client = createClient({
    url: "http://in-process",
    intMode: "number",
    fetch: server.fetch,
  });
  return Object.assign(database, {
    server,
    client,
    async close() {
      client.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

/** A fleet of `workers` in all, a quarter of its consumers empty, the rest nearly full. */
export function fleetOf(workers: number, zone: string, settings: Settings): FleetShape {
  const consumers = 4 * Math.floor((0.72 * workers) / 4);
  const { pointsPerWorker } = settings.weight;
  return {
    zone,
    settings,
    consumers,
    producers: workers - consumers,
    pointsUsed: (at) => (at % 4 === 0 ? 0 : pointsPerWorker + 1 - (at % 4)),
  };
}

/** A database that holds a fleet of `workers`. */
export async function startFleet(
  workers: number,
  zone: string,
  settings: Settings,
): Promise<BenchDatabase> {
  const database = await startBenchDatabase();
  await writeFleet(database.client, fleetOf(workers, zone, settings));
  return database;
}

/** A real broker; nothing is told to anybody, for nobody is there. */
export function brokerOn(client: Client, zone: string, settings: Settings): Broker {
  return new Broker({
    zone,
    client,
    settings,
    now: Date.now,
    onCommitted() {},
    onDeadline() {},
    onAlert(what, details) {
      throw new Error(`${what}: ${JSON.stringify(details)}`);
    },
  });
}

/**
 * Asks for what has to be granted.
 * @throws Error with the refusal: a benchmark of refusals measures nothing
 */
export async function granted<Name extends DecisionName>(
  broker: Broker,
  name: Name,
  input: DecisionInput<Name>,
): Promise<DecisionOutput<Name>> {
  const answer = await broker.ask(name, input);
  if (answer.ok) return answer.value;
  throw new Error(`${name} was refused: ${JSON.stringify(answer.refusal)}`);
}
