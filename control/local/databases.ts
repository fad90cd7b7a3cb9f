import { join } from "node:path";
import {
  type DatabaseName,
  databaseNames,
  databaseVariables,
} from "#schema/databases.ts";
import type { DatabaseOptions, DatabaseServer } from "./hrana-server.ts";
import { startDatabase } from "./hrana-server.ts";
import { migrateDatabase } from "./migrate.ts";

/** One running server for each of the deployment's databases. */
export type Databases = Record<DatabaseName, DatabaseServer>;

export interface DatabasesOptions {
  /** The repository's folder, for the migrations. */
  root: string;
  /** Where the four files are. */
  folder: string;
  /** The token that all four ask for. */
  token: string;
  /** Latency and faults of single databases; what they do to migrations is the caller's. */
  each?: Partial<Record<DatabaseName, Partial<DatabaseOptions>>>;
}

/**
 * Serves the four databases from files in one folder, each on a port of its own
 * and brought to the newest schema.
 * @throws DatabaseStartError naming the file that cannot be used
 */
export async function startDatabases(options: DatabasesOptions): Promise<Databases> {
  const { folder, token, root } = options;
  const started: Partial<Databases> = {};
  for (const name of databaseNames) {
    const file = join(folder, `${name}.db`);
    try {
      const server = await startDatabase({ ...options.each?.[name], file, token });
      started[name] = server;
      await migrateDatabase({ url: server.url, token, folder: migrationsOf(root, name) });
    } catch (error) {
      await stopDatabases(started);
      throw new DatabaseStartError(file, error);
    }
  }
  return started as Databases;
}

/** Stops the servers and closes their files. */
export async function stopDatabases(databases: Partial<Databases>): Promise<void> {
  await Promise.all(Object.values(databases).map((server) => server.close()));
}

/** The environment with which control finds the databases. */
export function databaseEnvironment(
  databases: Databases,
  token: string,
): Record<string, string> {
  const pairs = databaseNames.flatMap((name) => {
    const variables = databaseVariables(name);
    return [
      [variables.url, databases[name].url],
      [variables.token, token],
    ];
  });
  return Object.fromEntries(pairs);
}

/** The folder of a database's migrations. */
export function migrationsOf(root: string, name: DatabaseName): string {
  return join(root, "schema", name, "migrations");
}

/** A database's file cannot be opened or brought to the newest schema. */
export class DatabaseStartError extends Error {
  readonly file: string;

  constructor(file: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.file = file;
  }
}
