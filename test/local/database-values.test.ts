import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@libsql/client/web";
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/web";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { expect, test } from "vitest";
import { migrateDatabase } from "#control/local/migrate.ts";
import { scanSql } from "#control/local/sql-scan.ts";
import { openDatabase, tempFolder } from "./database-fixture.ts";

test("integers beyond 2^53 come back as they went in", async () => {
  const { server } = await openDatabase();
  const client = createClient({ url: server.url, intMode: "bigint" });
  const values = [2n ** 53n + 1n, -(2n ** 63n), 2n ** 63n - 1n];
  await client.execute("CREATE TABLE t (n INTEGER)");
  for (const value of values) {
    await client.execute({ sql: "INSERT INTO t VALUES (?)", args: [value] });
  }
  const { rows } = await client.execute("SELECT n FROM t ORDER BY rowid");
  expect(rows.map((row) => row.n)).toEqual(values);
  const over = client.execute({ sql: "INSERT INTO t VALUES (?)", args: [2n ** 63n] });
  await expect(over).rejects.toThrow();
  client.close();
});

test("every kind of value survives the round trip, by position and by name", async () => {
  const { client } = await openDatabase();
  const blob = new Uint8Array([0, 1, 254, 255]);
  const { rows } = await client.execute({
    sql: "SELECT ? AS none, ? AS half, ? AS umlaut, ? AS bytes, ? AS yes",
    args: [null, 0.5, "naïve ☃", blob, true],
  });
  expect(rows[0]).toMatchObject({ none: null, half: 0.5, umlaut: "naïve ☃", yes: 1 });
  expect(new Uint8Array(rows[0]?.bytes as ArrayBuffer)).toEqual(blob);
  const named = await client.execute({
    sql: "SELECT :a AS a, $b AS b, @c AS c",
    args: { a: 1, b: "two", ":c": 3 },
  });
  expect(named.rows[0]).toMatchObject({ a: 1, b: "two", c: 3 });
});

test("RETURNING tells both the rows and how many were changed", async () => {
  const { client } = await openDatabase();
  await client.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER)");
  await client.execute("INSERT INTO t (n) VALUES (1), (2), (3)");
  const result = await client.execute("UPDATE t SET n = n + 1 WHERE n > 1 RETURNING id");
  expect(result.rowsAffected).toBe(2);
  expect(result.rows.map((row) => row.id)).toEqual([2, 3]);
  const inserted = await client.execute("INSERT INTO t (n) VALUES (9) RETURNING n");
  expect(inserted.lastInsertRowid).toBe(4n);
});

test("a cached statement shows the columns of the newest schema", async () => {
  const { client } = await openDatabase();
  await client.execute("CREATE TABLE t (a INTEGER)");
  expect((await client.execute("SELECT * FROM t")).columns).toEqual(["a"]);
  await client.execute("ALTER TABLE t ADD COLUMN b TEXT");
  expect((await client.execute("SELECT * FROM t")).columns).toEqual(["a", "b"]);
});

test("foreign keys are enforced on every connection", async () => {
  const { client } = await openDatabase();
  await client.executeMultiple(
    "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p INTEGER REFERENCES p(id));",
  );
  const orphans = Array.from({ length: 5 }, () =>
    client.execute("INSERT INTO c VALUES (404)"),
  );
  for (const outcome of await Promise.allSettled(orphans)) {
    expect(outcome).toMatchObject({
      status: "rejected",
      reason: { code: "SQLITE_CONSTRAINT" },
    });
  }
});

test("a text with two statements is refused rather than half run", async () => {
  const { client } = await openDatabase();
  await client.execute("CREATE TABLE t (n INTEGER)");
  const two = client.execute("INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)");
  await expect(two).rejects.toMatchObject({ code: "SQL_MANY_STATEMENTS" });
  expect((await client.execute("SELECT * FROM t")).rows).toHaveLength(0);
});

test("drizzle migrates once, queries, batches and reads relations of values", async () => {
  const { server, client } = await openDatabase({ token: "secret" });
  const folder = tempFolder();
  mkdirSync(join(folder, "meta"));
  const entry = { idx: 0, version: "6", when: 1, tag: "0000_first", breakpoints: true };
  writeFileSync(
    join(folder, "meta/_journal.json"),
    JSON.stringify({ version: "7", dialect: "sqlite", entries: [entry] }),
  );
  writeFileSync(
    join(folder, "0000_first.sql"),
    "CREATE TABLE room (id TEXT PRIMARY KEY, tier INTEGER NOT NULL);\n" +
      "--> statement-breakpoint\nCREATE INDEX room_tier ON room (tier);",
  );
  const room = sqliteTable("room", {
    id: text("id").primaryKey(),
    tier: integer("tier").notNull(),
  });
  for (let time = 0; time < 2; time++) {
    await migrateDatabase({ url: server.url, token: "secret", folder });
  }
  const db = drizzle(client);
  await db.batch([
    db.insert(room).values({ id: "a", tier: 1 }),
    db.insert(room).values({ id: "b", tier: 2 }),
    db
      .update(room)
      .set({ tier: sql`${room.tier} + 1` })
      .where(eq(room.id, "a")),
  ]);
  expect(await db.select().from(room).orderBy(room.id)).toEqual([
    { id: "a", tier: 2 },
    { id: "b", tier: 2 },
  ]);
  const failing = db.transaction(async (tx) => {
    await tx.delete(room);
    throw new Error("on second thought");
  });
  await expect(failing).rejects.toThrow("on second thought");
  expect(await db.$count(room)).toBe(2);
});

test("describe tells parameters, columns and whether a statement only reads", async () => {
  const { server, client } = await openDatabase();
  await client.execute("CREATE TABLE t (a INTEGER, b TEXT)");
  const response = await server.fetch(`${server.url}/v2/pipeline`, {
    method: "POST",
    body: JSON.stringify({
      requests: [
        { type: "describe", sql: "SELECT a, b FROM t WHERE a = ? AND b = :name" },
        { type: "describe", sql: "DELETE FROM t WHERE a = ?2" },
        { type: "close" },
      ],
    }),
  });
  const { results } = (await response.json()) as { results: unknown[] };
  expect(results.slice(0, 2)).toMatchObject([
    {
      response: {
        result: {
          params: [{ name: null }, { name: ":name" }],
          cols: [
            { name: "a", decltype: "INTEGER" },
            { name: "b", decltype: "TEXT" },
          ],
          is_readonly: true,
        },
      },
    },
    {
      response: {
        result: { params: [{ name: null }, { name: "?2" }], is_readonly: false },
      },
    },
  ]);
});

test.each([
  ["SELECT 'DELETE; ' -- ; INSERT\n", true, 1],
  ["WITH x AS (SELECT replace('a', 'b', 'c')) SELECT * FROM x", true, 1],
  ["WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", false, 1],
  ["WITH x AS (SELECT 1) REPLACE INTO t SELECT * FROM x", false, 1],
  ["/* SELECT */ UPDATE t SET a = 1;", false, 1],
  ["BEGIN IMMEDIATE", false, 1],
  ["BEGIN TRANSACTION READONLY", true, 1],
  ["PRAGMA foreign_keys = off", false, 1],
  ['SELECT 1; ; SELECT "a;b"', true, 2],
  ["CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END", false, 1],
  [" -- nothing", false, 0],
])("the text %j is seen for what it is", (text, readOnly, statements) => {
  expect(scanSql(text)).toMatchObject({ readOnly, statements });
});
