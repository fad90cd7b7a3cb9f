import { expect, test } from "vitest";
import { startDatabase } from "#control/local/hrana-server.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { openDatabase } from "./database-fixture.ts";

test("a transaction that its client abandons is rolled back and lets the next one write", async () => {
  const { server, client } = await openDatabase({ streamTtlMs: 50 });
  await client.execute("CREATE TABLE seat (n INTEGER)");
  const abandoned = await client.transaction("write");
  await abandoned.execute("INSERT INTO seat VALUES (1)");
  expect(server.database.openStreams).toBe(1);
  await client.execute("INSERT INTO seat VALUES (2)");
  expect(server.database.openStreams).toBe(0);
  const { rows } = await client.execute("SELECT n FROM seat");
  expect(rows.map((row) => row.n)).toEqual([2]);
  await expect(abandoned.commit()).rejects.toMatchObject({ code: "STREAM_EXPIRED" });
});

test("a baton is good for one request: the second use is refused", async () => {
  const { server } = await openDatabase();
  const post = (body: unknown) =>
    fetch(`${server.url}/v2/pipeline`, { method: "POST", body: JSON.stringify(body) });
  const first = (await (await post({ requests: [] })).json()) as { baton: string };
  const second = await post({ baton: first.baton, requests: [] });
  expect(second.status).toBe(200);
  const again = await post({ baton: first.baton, requests: [] });
  expect(again.status).toBe(400);
  expect(await again.json()).toMatchObject({ code: "STREAM_EXPIRED" });
});

test("a batch changes everything or nothing, and names the statement that failed", async () => {
  const { client } = await openDatabase();
  await client.execute("CREATE TABLE point (used INTEGER NOT NULL CHECK (used <= 12))");
  await client.execute("INSERT INTO point VALUES (11)");
  const failing = client.batch(
    [
      "UPDATE point SET used = used + 1",
      "INSERT INTO point VALUES (0)",
      "UPDATE point SET used = used + 1",
    ],
    "write",
  );
  await expect(failing).rejects.toMatchObject({
    statementIndex: 2,
    code: "SQLITE_CONSTRAINT",
  });
  const { rows } = await client.execute("SELECT used FROM point");
  expect(rows.map((row) => row.used)).toEqual([11]);
});

test("writers are served in the order in which they came", async () => {
  const { server, client } = await openDatabase();
  await client.execute("CREATE TABLE arrival (who INTEGER)");
  const holder = await client.transaction("write");
  await holder.execute("INSERT INTO arrival VALUES (0)");
  const writers: Promise<unknown>[] = [];
  for (let who = 1; who <= 8; who++) {
    writers.push(client.execute({ sql: "INSERT INTO arrival VALUES (?)", args: [who] }));
    await waitFor(() => server.database.waitingWriters === who, {
      what: `writer ${who} to queue`,
    });
  }
  await holder.commit();
  await Promise.all(writers);
  const { rows } = await client.execute("SELECT who FROM arrival ORDER BY rowid");
  expect(rows.map((row) => row.who)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test("readers go on, with the last committed state, while a writer holds the lock", async () => {
  const { client } = await openDatabase();
  await client.execute("CREATE TABLE t (n INTEGER)");
  const writer = await client.transaction("write");
  await writer.execute("INSERT INTO t VALUES (1)");
  const before = await client.execute("SELECT count(*) AS n FROM t");
  await writer.commit();
  const after = await client.execute("SELECT count(*) AS n FROM t");
  expect([before.rows[0]?.n, after.rows[0]?.n]).toEqual([0, 1]);
});

test("deferred transactions that read before they write never meet a locked database", async () => {
  const { client } = await openDatabase();
  await client.batch(
    ["CREATE TABLE counter (n INTEGER)", "INSERT INTO counter VALUES (0)"],
    "write",
  );
  const raise = async () => {
    const transaction = await client.transaction("deferred");
    const { rows } = await transaction.execute("SELECT n FROM counter");
    const n = Number(rows[0]?.n) + 1;
    await transaction.execute({ sql: "UPDATE counter SET n = ?", args: [n] });
    await transaction.commit();
  };
  await Promise.all(Array.from({ length: 20 }, raise));
  const { rows } = await client.execute("SELECT n FROM counter");
  expect(rows[0]?.n).toBe(20);
});

test("a read transaction refuses to write", async () => {
  const { client } = await openDatabase();
  await client.execute("CREATE TABLE t (n INTEGER)");
  const reading = await client.transaction("read");
  await reading.execute("SELECT * FROM t");
  await expect(reading.execute("INSERT INTO t VALUES (1)")).rejects.toMatchObject({
    code: "SQLITE_READONLY",
  });
  reading.close();
});

test("40 concurrent claims on 10 places grant exactly 10", async () => {
  const { client } = await openDatabase();
  await client.batch(
    [
      "CREATE TABLE worker (id INTEGER PRIMARY KEY, used INTEGER NOT NULL CHECK (used <= 10))",
      "CREATE TABLE claim (who INTEGER PRIMARY KEY)",
      "INSERT INTO worker VALUES (1, 0)",
    ],
    "write",
  );
  const claim = async (who: number): Promise<boolean> => {
    const [inserted] = await client.batch(
      [
        {
          sql: "INSERT INTO claim SELECT ? WHERE (SELECT used FROM worker WHERE id = 1) < 10",
          args: [who],
        },
        "UPDATE worker SET used = (SELECT count(*) FROM claim) WHERE id = 1",
      ],
      "write",
    );
    return inserted?.rowsAffected === 1;
  };
  const granted = await Promise.all(Array.from({ length: 40 }, (_, who) => claim(who)));
  expect(granted.filter(Boolean)).toHaveLength(10);
  const { rows } = await client.execute("SELECT used FROM worker");
  expect(rows[0]?.used).toBe(10);
});

test("what was committed is there after the server was closed and opened again", async () => {
  const { server, client, file } = await openDatabase();
  await client.batch(["CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (7)"], "write");
  const open = await client.transaction("write");
  await open.execute("INSERT INTO t VALUES (8)");
  await server.close();
  const again = await startDatabase({ file });
  const response = await again.fetch(`${again.url}/v2/pipeline`, {
    method: "POST",
    body: JSON.stringify({
      requests: [
        { type: "execute", stmt: { sql: "SELECT n FROM t" } },
        { type: "close" },
      ],
    }),
  });
  await again.close();
  expect(await response.json()).toMatchObject({
    results: [
      { response: { result: { rows: [[{ type: "integer", value: "7" }]] } } },
      {},
    ],
  });
});
