import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client } from "@libsql/client/web";
import { createClient } from "@libsql/client/web";
import { onTestFinished } from "vitest";
import type { DatabaseOptions, DatabaseServer } from "#control/local/hrana-server.ts";
import { startDatabase } from "#control/local/hrana-server.ts";

/** A folder that goes when the test ends. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "weir-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A running database on a file of its own, and a client of it. */
export async function openDatabase(
  options: Partial<DatabaseOptions> = {},
): Promise<{ server: DatabaseServer; client: Client; file: string }> {
  const file = options.file ?? join(tempFolder(), "test.db");
  const server = await startDatabase({ ...options, file });
  const client = createClient({ url: server.url, authToken: options.token });
  onTestFinished(async () => {
    client.close();
    await server.close();
  });
  return { server, client, file };
}
