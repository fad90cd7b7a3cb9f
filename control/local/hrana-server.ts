import { createHash, timingSafeEqual } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { HranaDatabase } from "./hrana-database.ts";
import type { StreamRequest } from "./hrana-protocol.ts";
import { pipelineBody, toHranaError } from "./hrana-protocol.ts";

/** What becomes of a request: answered, lost unapplied, or applied with its answer lost. */
export type Fault = "none" | "drop-before" | "drop-after";

export interface DatabaseOptions {
  /** The database's file; its folder is made when absent. */
  file: string;
  /** Bearer token that requests must carry. Default: none asked. */
  token?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Added to every round trip, half on each way. Default 0. */
  latencyMs?: number;
  /** A stream not continued for this long is rolled back. Default 5,000. */
  streamTtlMs?: number;
  /** A larger request is refused with 413. Default 16 MiB. */
  bodyLimitBytes?: number;
  /** Decides each request's fate; a promise holds the request until it settles. */
  faults?: (requests: StreamRequest[]) => Fault | Promise<Fault>;
}

export interface DatabaseServer {
  /** Where clients connect, `http://host:port`. */
  readonly url: string;
  /** The file's engine, for tests that look inside. */
  readonly database: HranaDatabase;
  /** The same server without a socket, for a client's custom fetch. */
  fetch(input: Request | string | URL, init?: RequestInit): Promise<Response>;
  /** An outage: connections break, open streams roll back, nobody is served. */
  stop(): Promise<void>;
  /** Ends an outage, on the same port. */
  resume(): Promise<void>;
  /** Stops for good and closes the file. */
  close(): Promise<void>;
}

interface Answer {
  status: number;
  body: unknown;
}

/**
 * Serves a database file over HTTP in Hrana's words, as libsql's clients speak it.
 * @throws Error where the file cannot be opened or the port is taken
 */
export async function startDatabase(options: DatabaseOptions): Promise<DatabaseServer> {
  mkdirSync(dirname(options.file), { recursive: true });
  const database = new HranaDatabase(options.file, options.streamTtlMs ?? 5000);
  const host = options.host ?? "127.0.0.1";
  let server = await listen(options, database, host, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  let serving = true;

  const stop = async (): Promise<void> => {
    if (!serving) return;
    serving = false;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    database.dropStreams();
  };
  return {
    url: `http://${host}:${port}`,
    database,
    async fetch(input, init) {
      const request = new Request(input, init);
      const answer = serving
        ? await respond(options, database, {
            method: request.method,
            path: new URL(request.url).pathname,
            authorization: request.headers.get("authorization") ?? "",
            body: () => request.text(),
          })
        : undefined;
      if (!answer) throw new TypeError("The database's answer got lost");
      return Response.json(answer.body, { status: answer.status });
    },
    stop,
    async resume() {
      if (serving) return;
      server = await listen(options, database, host, port);
      serving = true;
    },
    async close() {
      await stop();
      database.close();
    },
  };
}

async function listen(
  options: DatabaseOptions,
  database: HranaDatabase,
  host: string,
  port: number,
) {
  const server = createServer((request, response) => {
    serve(options, database, request, response).catch(() => response.destroy());
  });
  // Longer than any client keeps an idle connection, so that none is closed
  // at the very moment in which a client uses it again.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return server;
}

async function serve(
  options: DatabaseOptions,
  database: HranaDatabase,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await respond(options, database, {
    method: request.method ?? "GET",
    path: new URL(request.url ?? "/", "http://localhost").pathname,
    authorization: request.headers.authorization ?? "",
    body: () => readBody(request, options.bodyLimitBytes ?? 16 * 1024 * 1024),
  });
  if (!answer) {
    request.socket.destroy();
    return;
  }
  const text = Buffer.from(JSON.stringify(answer.body));
  // The rest of a body that was refused is not read, so the connection must end.
  if (answer.status === 413) response.setHeader("connection", "close");
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "content-length": text.length,
  });
  response.end(text);
}

interface Incoming {
  method: string;
  path: string;
  authorization: string;
  /** The body's text, or undefined where it is over the limit. */
  body(): Promise<string | undefined>;
}

/** The answer to a request, or undefined where it gets lost. */
async function respond(
  options: DatabaseOptions,
  database: HranaDatabase,
  incoming: Incoming,
): Promise<Answer | undefined> {
  const oneWayMs = (options.latencyMs ?? 0) / 2;
  if (incoming.path === "/health") return { status: 200, body: { status: "ok" } };
  if (options.token && !sameText(incoming.authorization, `Bearer ${options.token}`)) {
    return problem(401, "AUTH_FAILED", "The request's token is not this database's");
  }
  if (incoming.method === "GET" && incoming.path === "/v2")
    return { status: 200, body: {} };
  if (incoming.path !== "/v2/pipeline") return problem(404, "NOT_FOUND", "No such path");
  if (incoming.method !== "POST") return problem(405, "METHOD_NOT_ALLOWED", "Use POST");
  const text = await incoming.body();
  if (text === undefined) return problem(413, "BODY_TOO_LARGE", "The body is too large");
  const parsed = pipelineBody.safeParse(parseJson(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.join(".") || "body";
    return problem(400, "HRANA_PROTO_ERROR", `${where}: ${issue?.message}`);
  }
  if (oneWayMs > 0) await delay(oneWayMs);
  const fault = (await options.faults?.(parsed.data.requests)) ?? "none";
  if (fault === "drop-before") return undefined;
  let answer: Answer;
  try {
    answer = { status: 200, body: await database.pipeline(parsed.data) };
  } catch (error) {
    answer = { status: 400, body: toHranaError(error) };
  }
  if (oneWayMs > 0) await delay(oneWayMs);
  return fault === "drop-after" ? undefined : answer;
}

function problem(status: number, code: string, message: string): Answer {
  return { status, body: { code, message } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Compares digests, so that the time taken tells nothing about the secret. */
function sameText(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

async function readBody(
  request: IncomingMessage,
  limitBytes: number,
): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // A refusal still has to be sent, so the connection must outlive the loop.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > limitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
