import { join } from "node:path";
import type { Client } from "@libsql/client/web";
import { migrationsOf } from "#control/local/databases.ts";
import { startDatabase } from "#control/local/hrana-server.ts";
import { migrateDatabase } from "#control/local/migrate.ts";
import { type TestDatabase, testDatabase } from "./databases.ts";

/** A read-only copy of the accounts, which is as old as its last catching up. */
export interface Replica extends TestDatabase {
  readonly url: string;
  /** Takes over what the primary has now. */
  catchUp(): Promise<void>;
  close(): Promise<void>;
}

const tables = ["account", "api_key", "entitlement"];

/** Starts a replica that has caught up once. */
export async function startReplica(options: {
  root: string;
  folder: string;
  token: string;
  primary: Client;
}): Promise<Replica> {
  const { root, folder, token, primary } = options;
  const server = await startDatabase({ file: join(folder, "replica.db"), token });
  await migrateDatabase({
    url: server.url,
    token,
    folder: migrationsOf(root, "accounts"),
  });
  const database = testDatabase(server);
  const replica: Replica = {
    ...database,
    url: server.url,
    async catchUp() {
      for (const table of [...tables].reverse()) {
        await database.client.execute(`DELETE FROM ${table}`);
      }
      for (const table of tables) {
        const { rows, columns } = await primary.execute(`SELECT * FROM ${table}`);
        for (const row of rows) {
          const places = columns.map(() => "?").join(", ");
          await database.client.execute({
            sql: `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${places})`,
            args: columns.map((column) => row[column] ?? null),
          });
        }
      }
    },
    close: () => server.close(),
  };
  await replica.catchUp();
  return replica;
}
