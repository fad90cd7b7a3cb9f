import { type Client, createClient } from "@libsql/client/web";
import type { Settings } from "#schema/settings.ts";

/**
 * Connects to a libsql database over HTTP, the same way everywhere.
 * @param url http(s) or libsql URL
 * @param authToken the database's token
 * @param timeoutMs milliseconds after which a request is given up; what it did
 *   is then unknown
 */
export function openDatabase(url: string, authToken: string, timeoutMs: number): Client {
  return createClient({
    url,
    authToken,
    // Numbers of the ledger stay far below 2^53.
    intMode: "number",
    fetch: (request: Request) =>
      fetch(request, { signal: AbortSignal.timeout(timeoutMs) }),
  });
}

/** What of a deployment's configuration its control database takes. */
interface ControlDatabase {
  controlDb: { url: string; token: string };
  settings: Settings;
}

/** Connects to a deployment's control database. */
export function openControlDatabase({ controlDb, settings }: ControlDatabase): Client {
  return openDatabase(controlDb.url, controlDb.token, settings.broker.commitTimeoutMs);
}
