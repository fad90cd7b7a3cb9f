import { createClient } from "@libsql/client/web";
import { migrate } from "drizzle-orm/libsql/migrator";
import { drizzle } from "drizzle-orm/libsql/web";

export interface MigrateOptions {
  /** The database's URL, `http://…` or `libsql://…`. */
  url: string;
  token?: string;
  /** The folder that drizzle-kit wrote, with `meta/_journal.json`. */
  folder: string;
}

/**
 * Brings a database to the newest schema; one that is there already stays as it is.
 * @throws Error where a migration fails, in which case none of the new ones applies
 */
export async function migrateDatabase(options: MigrateOptions): Promise<void> {
  const client = createClient({ url: options.url, authToken: options.token });
  try {
    await migrate(drizzle(client), { migrationsFolder: options.folder });
  } finally {
    client.close();
  }
}
