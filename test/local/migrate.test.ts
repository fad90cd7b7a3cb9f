import { execFile } from "node:child_process";
import { join } from "node:path";
import { createClient } from "@libsql/client/web";
import { expect, onTestFinished, test } from "vitest";
import { startDatabase } from "#control/local/hrana-server.ts";
import { databaseNames, databaseVariables } from "#schema/databases.ts";
import { root } from "#test/harness/root.ts";
import { tempFolder } from "./database-fixture.ts";

/** Runs `npm run db:migrate` with an environment of its own. */
function migrate(env: Record<string, string>, ...names: string[]) {
  const script = join(root, "control/local/migrate-all.ts");
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(process.execPath, [script, ...names], { env }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err });
    });
  });
}

test("a deployment's databases are migrated one by one or all, and again without harm", async () => {
  const folder = tempFolder();
  const token = "a-token";
  const env: Record<string, string> = {};
  for (const name of databaseNames) {
    const file = join(folder, `${name}.db`);
    const server = await startDatabase({ file, token });
    onTestFinished(() => server.close());
    const variables = databaseVariables(name);
    Object.assign(env, { [variables.url]: server.url, [variables.token]: token });
  }
  const one = await migrate(env, "sessions");
  expect(one).toMatchObject({ code: 0, out: "sessions: up to date\n" });
  for (let times = 0; times < 2; times++) {
    const all = await migrate(env);
    expect([all.code, all.out.match(/up to date/g)?.length]).toEqual([0, 4]);
  }
  const tables = { control: "room", sessions: "revocation", accounts: "api_key" };
  for (const [name, table] of Object.entries({ ...tables, premium: "purchase" })) {
    const { url } = databaseVariables(name as keyof typeof tables);
    const client = createClient({ url: env[url] ?? "", authToken: token });
    await client.execute(`SELECT * FROM ${table}`);
    client.close();
  }

  const { PREMIUM_DB_URL: _, ...unpaid } = env;
  const without = await migrate(unpaid);
  expect([without.code, without.out]).toEqual([0, expect.stringContaining("left out")]);
  const { ACCOUNTS_DB_URL: __, ...missing } = env;
  const refused = await migrate(missing);
  expect([refused.code, refused.out]).toEqual([1, ""]);
  expect(refused.err).toContain("set ACCOUNTS_DB_URL");
  const unknown = await migrate(env, "rooms");
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("rooms")]);
});
