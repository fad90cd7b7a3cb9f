import { type Client, createClient } from "@libsql/client/web";

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
