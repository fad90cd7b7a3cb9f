import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@libsql/client/web";
import { onTestFinished } from "vitest";
import { Broker, type Committed } from "#control/broker/broker.ts";
import type { Refusal } from "#control/broker/decision.ts";
import type {
  DecisionInput,
  DecisionName,
  DecisionOutput,
} from "#control/broker/decisions.ts";
import type { Answer, IdempotencyScope } from "#control/broker/requests.ts";
import type { Numbered, NumberedEvent } from "#control/broker/telling.ts";
import { openDatabase } from "#control/ledger/client.ts";
import type { PipelineBody, StreamRequest } from "#control/local/hrana-protocol.ts";
import {
  type DatabaseServer,
  type Fault,
  startDatabase,
} from "#control/local/hrana-server.ts";
import { migrateDatabase } from "#control/local/migrate.ts";
import type { OwnEvent } from "#schema/events.ts";
import { readSettings, type Settings, type SettingsInput } from "#schema/settings.ts";

/** The zone's name in every id that the harness makes. */
export const zoneName = "test";

interface ZoneOptions {
  settings?: SettingsInput;
  /** Added to every round trip to the database. Default 0. */
  latencyMs?: number;
}

/** What a broker's request to the database is for. */
export type Traffic = "commit" | "fence" | "read";

/**
 * A zone in one process: the real broker and the real database server on a file
 * of its own. Only the clock is moved by hand.
 */
export class Zone {
  readonly settings: Settings;
  readonly server: DatabaseServer;
  /** What the broker writes with: HTTP, with the ledger's own timeout. */
  readonly client: Client;
  /** Looks into the database past every fault, and is not counted. */
  readonly eye: Client;
  readonly alerts: { what: string; details: Record<string, unknown> }[] = [];
  readonly committed: Committed[] = [];
  /** What reached the database from brokers, in order. */
  readonly traffic: Traffic[] = [];
  /** Decides the fate of brokers' requests; default: all are served. */
  faults: (traffic: Traffic) => Fault | Promise<Fault> = () => "none";
  broker: Broker;
  /** Milliseconds since 1970; starts well after any timeout. */
  nowMs = 1_800_000_000_000;
  #deadlineMs: number | undefined;

  constructor(settings: Settings, server: DatabaseServer) {
    this.settings = settings;
    this.server = server;
    const { commitTimeoutMs } = settings.broker;
    this.client = openDatabase(server.url, "", commitTimeoutMs);
    this.eye = createClient({ url: "http://eye", fetch: this.#look(server) });
    this.broker = this.newBroker();
  }

  /** One more broker on the same database, as a platform may start by mistake. */
  newBroker(): Broker {
    const broker: Broker = new Broker({
      zone: zoneName,
      client: this.client,
      settings: this.settings,
      now: () => this.nowMs,
      onCommitted: (committed) => this.committed.push(committed),
      onDeadline: (atMs) => {
        if (broker === this.broker) this.#deadlineMs = atMs;
      },
      onAlert: (what, details) => this.alerts.push({ what, details }),
    });
    return broker;
  }

  /** Throws the broker away, in the middle of whatever it does, and makes another. */
  evict(): Broker {
    const old = this.broker;
    this.broker = this.newBroker();
    return old;
  }

  ask<Name extends DecisionName>(
    name: Name,
    input: DecisionInput<Name>,
    idempotency?: IdempotencyScope,
  ): Promise<Answer<DecisionOutput<Name>>> {
    return this.broker.ask(name, input, idempotency);
  }

  /**
   * Asks for what has to succeed.
   * @throws Error with the refusal
   */
  async get<Name extends DecisionName>(
    name: Name,
    input: DecisionInput<Name>,
  ): Promise<DecisionOutput<Name>> {
    const answer = await this.ask(name, input);
    if (answer.ok) return answer.value;
    const alerts = JSON.stringify(this.alerts);
    throw new Error(
      `${name} was refused: ${JSON.stringify(answer.refusal)}; alerts: ${alerts}`,
    );
  }

  /**
   * Asks for what has to be refused.
   * @throws Error where it is not
   */
  async refused<Name extends DecisionName>(
    name: Name,
    input: DecisionInput<Name>,
  ): Promise<Refusal> {
    const answer = await this.ask(name, input);
    if (!answer.ok) return answer.refusal;
    throw new Error(`${name} was not refused: ${JSON.stringify(answer.value)}`);
  }

  /** Moves the clock by `ms`; deadlines that it passes ring at their own time. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    while (this.#deadlineMs !== undefined && this.#deadlineMs <= untilMs) {
      this.nowMs = Math.max(this.nowMs, this.#deadlineMs);
      this.#deadlineMs = undefined;
      await this.broker.tick();
    }
    this.nowMs = untilMs;
  }

  /** Lets time pass in which no alarm rings, as where the platform has lost it. */
  passUnheard(ms: number): void {
    this.#deadlineMs = undefined;
    this.nowMs += ms;
  }

  /** When the broker wants to be woken, in milliseconds since 1970. */
  get deadlineMs(): number | undefined {
    return this.#deadlineMs;
  }

  /** A room's events as they were told after the commits, in that order. */
  told(roomId: string): NumberedEvent[] {
    return this.committed.flatMap(({ news }) => news.get(roomId)?.events ?? []);
  }

  /** A session's own events, likewise. */
  toldTo(roomId: string, sessionId: string): Numbered<OwnEvent>[] {
    return this.committed.flatMap(({ news }) => news.get(roomId)?.own[sessionId] ?? []);
  }

  /** One number out of the database. */
  async count(sql: string, ...args: (string | number)[]): Promise<number> {
    const { rows } = await this.eye.execute({ sql, args });
    return Number(Object.values(rows[0] ?? {})[0]);
  }

  /** Notes what a broker sends and decides what becomes of it. */
  judge(requests: StreamRequest[]): Fault | Promise<Fault> {
    const traffic = trafficOf(requests);
    this.traffic.push(traffic);
    return this.faults(traffic);
  }

  /** A request that skips the server's door, where faults are dealt out. */
  #look(server: DatabaseServer) {
    return async (request: Request) => {
      const body = (await request.json()) as PipelineBody;
      const answer = await server.database.pipeline(body);
      return Response.json(answer);
    };
  }
}

/**
 * Starts a zone with an empty database; it goes when the test ends, or earlier
 * with `stopZone`.
 */
export async function startZone(options: ZoneOptions = {}): Promise<Zone> {
  const settings = readSettings(options.settings);
  const folder = mkdtempSync(join(tmpdir(), "weir-zone-"));
  const file = join(folder, "control.db");
  template ??= makeTemplate();
  copyFileSync(await template, file);
  let zone: Zone | undefined;
  const server = await startDatabase({
    file,
    latencyMs: options.latencyMs,
    faults: (requests) => zone?.judge(requests) ?? "none",
  });
  zone = new Zone(settings, server);
  stops.set(zone, async () => {
    zone.client.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  onTestFinished(() => stopZone(zone));
  return zone;
}

/** Ends a zone and deletes its database; twice is once. */
export async function stopZone(zone: Zone): Promise<void> {
  const stop = stops.get(zone);
  stops.delete(zone);
  await stop?.();
}

const stops = new Map<Zone, () => Promise<void>>();

// Migrating takes longer than most tests: one migrated file serves as the mould.
let template: Promise<string> | undefined;

async function makeTemplate(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "weir-zone-mould-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "control.db");
  const server = await startDatabase({ file });
  const migrations = new URL("../../schema/control/migrations", import.meta.url);
  await migrateDatabase({ url: server.url, folder: fileURLToPath(migrations) });
  // The copy takes the file alone, so nothing may be left in the log beside it.
  const client = createClient({ url: server.url });
  await client.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  client.close();
  await server.close();
  return file;
}

function trafficOf(requests: StreamRequest[]): Traffic {
  const text = JSON.stringify(requests);
  if (text.includes("generation = generation + 1")) return "fence";
  return text.includes("batch_guard") ? "commit" : "read";
}
