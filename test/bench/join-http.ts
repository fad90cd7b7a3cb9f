import { Agent, request } from "node:http";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createTestHarness } from "wrangler";
import type { Fault } from "#control/local/hrana-server.ts";
import { readSettings } from "#schema/settings.ts";
import { type Control, noLimits, startControl } from "#test/harness/control.ts";
import { root } from "#test/harness/root.ts";
import { writeFleet } from "./join-fleet.ts";
import type { Requester } from "./join-load.ts";
import { openRooms } from "./join-rooms.ts";
import { brokerOn, fleetOf } from "./join-zone.ts";

// With `--json` only the report may go to standard output.
process.env.WRANGLER_LOG ??= "error";

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

interface HttpAnswer {
  status: number;
  text: string;
}

/** One request over a kept connection: the cheapest client there is here. */
function send(
  url: string,
  method: string,
  key: string,
  body?: string,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const sent = request(url, { agent, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", reject);
      response.once("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

async function expectStatus(sent: Promise<HttpAnswer>, status: number): Promise<string> {
  const answer = await sent;
  if (answer.status === status) return answer.text;
  throw new Error(`Expected ${status}, got ${answer.status}: ${answer.text}`);
}

/** Requesters that ask for one path again and again. */
export function getRequesters(url: string, count: number): Requester[] {
  return Array.from({ length: count }, () => async (timed) => {
    await timed(expectStatus(send(url, "GET", ""), 200));
  });
}

/** Where the empty Durable Object is served, in a workerd of its own. */
export async function startHop(): Promise<{ url: string; stop(): Promise<void> }> {
  const configPath = join(root, "test/bench/join-hop.toml");
  const hash = "0".repeat(64);
  const vars = {
    WEIR_ZONE: "local",
    WEIR_SETTINGS: JSON.stringify({ limits: noLimits }),
    // Its object asks no database.
    CONTROL_DB_URL: "http://127.0.0.1:9",
    SESSIONS_DB_URL: "http://127.0.0.1:9",
    ACCOUNTS_DB_URL: "http://127.0.0.1:9",
    WEIR_OPERATOR_KEY_HASH: hash,
    WEIR_NODE_KEY_HASH: hash,
    WEIR_SECRET_KEY: hash,
  };
  const harness = createTestHarness({ root, workers: [{ configPath, vars }] });
  const { url } = await harness.listen();
  return { url: new URL("/hop", url).href, stop: () => harness.close() };
}

/** The real control in workerd on a fleet, with rooms to join. */
export class HttpFleet {
  readonly control: Control;
  readonly rooms: readonly string[];
  /** Join tokens, by room. */
  readonly #tokens: readonly string[];
  readonly #latency: { ms: number };

  constructor(
    control: Control,
    rooms: readonly string[],
    tokens: readonly string[],
    latency: { ms: number },
  ) {
    this.control = control;
    this.rooms = rooms;
    this.#tokens = tokens;
    this.#latency = latency;
  }

  /** Milliseconds added to every round trip to the database. */
  set latencyMs(ms: number) {
    this.#latency.ms = ms;
  }

  get livez(): string {
    return `${this.control.url}/livez`;
  }

  /** Joins and leaves over the API: a session is entered, then deleted. */
  requesters(count: number): Requester[] {
    const { url } = this.control;
    return Array.from({ length: count }, (_, at) => {
      const room = at % this.rooms.length;
      const token = this.#tokens[room] as string;
      const enterUrl = `${url}/v1/rooms/${this.rooms[room]}/sessions`;
      return async (timed) => {
        const text = await timed(expectStatus(send(enterUrl, "POST", token, "{}"), 201));
        const { session, credential } = JSON.parse(text) as {
          session: { id: string };
          credential: string;
        };
        const leaveUrl = `${url}/v1/sessions/${session.id}`;
        await timed(expectStatus(send(leaveUrl, "DELETE", credential), 200));
      };
    });
  }
}

/** Starts control on a database that holds a fleet of `workers`. */
export async function startHttpFleet(workers: number): Promise<HttpFleet> {
  const settings = readSettings();
  const latency = { ms: 0 };
  const control = await startControl({
    settings: { limits: noLimits },
    database: {
      async faults(): Promise<Fault> {
        if (latency.ms > 0) await delay(latency.ms);
        return "none";
      },
    },
  });
  const { database, zone } = control;
  await writeFleet(database, fleetOf(workers, zone, settings));
  // The rooms' makings are no part of what is measured: a broker here opens them.
  const rooms = await openRooms(brokerOn(database, zone, settings), zone);
  const tokens = await Promise.all(
    rooms.map(async (roomId) => {
      const key = control.keys.api;
      const body = { identity: "joiner" };
      const { status, body: answer } = await control.call(
        "POST",
        `/v1/rooms/${roomId}/tokens`,
        { key, body },
      );
      if (status !== 201) throw new Error(`No token: ${JSON.stringify(answer)}`);
      return String(answer.token);
    }),
  );
  return new HttpFleet(control, rooms, tokens, latency);
}
