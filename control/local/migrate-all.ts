import { join } from "node:path";
import { databaseNames, databaseVariables } from "#schema/databases.ts";
import { migrationsOf } from "./databases.ts";
import { migrateDatabase } from "./migrate.ts";

const root = join(import.meta.dirname, "../..");

/*
 * `npm run db:migrate` brings a deployment's databases to the newest schema: all
 * of them, or those that are named. Their URLs and tokens are in the environment,
 * as control has them.
 */
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !databaseNames.some((known) => known === name));
const wanted = databaseNames.filter((name) => asked.length === 0 || asked.includes(name));
const missing = wanted
  .filter((name) => asked.includes(name) || name !== "premium")
  .map((name) => databaseVariables(name).url)
  .filter((variable) => !process.env[variable]);

if (unknown.length > 0) {
  fail(`there is no database called ${unknown[0]}: name ${databaseNames.join(", ")}`);
} else if (missing.length > 0) {
  fail(`set ${missing.join(", ")}, or name the databases to migrate`);
} else {
  for (const name of wanted) {
    const variables = databaseVariables(name);
    const url = process.env[variables.url];
    if (!url) {
      console.log(`${name}: left out, as ${variables.url} is not set (no payments)`);
      continue;
    }
    try {
      const token = process.env[variables.token];
      await migrateDatabase({ url, token, folder: migrationsOf(root, name) });
      console.log(`${name}: up to date`);
    } catch (error) {
      fail(`${name}: ${(error as Error).message}`);
      break;
    }
  }
}

function fail(message: string): void {
  console.error(`weir: ${message}`);
  process.exitCode = 1;
}
