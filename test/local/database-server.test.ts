import { createClient } from "@libsql/client/web";
import { expect, test } from "vitest";
import type { Fault } from "#control/local/hrana-server.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { openDatabase } from "./database-fixture.ts";

test("a request without the right token is refused and changes nothing", async () => {
  const { server, client } = await openDatabase({ token: "right" });
  await client.execute("CREATE TABLE t (n INTEGER)");
  for (const authToken of ["wrong", undefined]) {
    const stranger = createClient({ url: server.url, authToken });
    await expect(stranger.execute("DROP TABLE t")).rejects.toMatchObject({
      code: "AUTH_FAILED",
    });
    stranger.close();
  }
  const { rows } = await client.execute("SELECT * FROM t");
  expect(rows).toHaveLength(0);
});

test("a body over the limit is refused with 413, one below it is taken", async () => {
  const { client } = await openDatabase({ bodyLimitBytes: 10_000 });
  await client.execute("CREATE TABLE t (text TEXT)");
  const insert = (length: number) =>
    client.execute({ sql: "INSERT INTO t VALUES (?)", args: ["x".repeat(length)] });
  await expect(insert(20_000)).rejects.toMatchObject({ code: "BODY_TOO_LARGE" });
  await insert(5000);
  const { rows } = await client.execute("SELECT length(text) AS n FROM t");
  expect(rows.map((row) => row.n)).toEqual([5000]);
});

test("an answer over 10 MB is refused, as sqld does", async () => {
  const { client } = await openDatabase();
  const wide = client.execute(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120) " +
      "SELECT hex(zeroblob(50000)) FROM n",
  );
  await expect(wide).rejects.toMatchObject({ code: "RESPONSE_TOO_LARGE" });
});

test("a body that is not a pipeline is refused with the field's name", async () => {
  const { server } = await openDatabase();
  const post = (body: string) =>
    fetch(`${server.url}/v2/pipeline`, { method: "POST", body });
  expect((await post("{")).status).toBe(400);
  const wrong = await post('{"requests":[{"type":"execute","stmt":{"args":[{}]}}]}');
  expect(wrong.status).toBe(400);
  expect(await wrong.text()).toContain("requests.0.stmt.args.0");
  expect((await fetch(`${server.url}/v2`)).status).toBe(200);
  expect((await fetch(`${server.url}/v9`)).status).toBe(404);
});

test("a lost answer leaves the change in place, a lost request leaves nothing", async () => {
  let fault: Fault = "none";
  const { client } = await openDatabase({ faults: () => fault });
  await client.execute("CREATE TABLE t (n INTEGER)");
  fault = "drop-before";
  await expect(client.execute("INSERT INTO t VALUES (1)")).rejects.toThrow();
  fault = "drop-after";
  await expect(client.execute("INSERT INTO t VALUES (2)")).rejects.toThrow();
  fault = "none";
  const { rows } = await client.execute("SELECT n FROM t");
  expect(rows.map((row) => row.n)).toEqual([2]);
});

test("a held request lands after its client gave up", async () => {
  const gate = Promise.withResolvers<Fault>();
  let held = false;
  const { client, server } = await openDatabase({
    faults: (requests) =>
      held && JSON.stringify(requests).includes("INSERT") ? gate.promise : "none",
  });
  await client.execute("CREATE TABLE t (n INTEGER)");
  held = true;
  const impatient = createClient({
    url: server.url,
    fetch: (request: Request) => fetch(request, { signal: AbortSignal.timeout(50) }),
  });
  await expect(impatient.execute("INSERT INTO t VALUES (1)")).rejects.toThrow();
  const count = async () => (await client.execute("SELECT n FROM t")).rows.length;
  expect(await count()).toBe(0);
  gate.resolve("none");
  await waitFor(async () => (await count()) === 1, { what: "the late insert" });
});

test("in an outage nobody is served, and afterwards the same address serves again", async () => {
  const { server, client } = await openDatabase();
  await client.execute("CREATE TABLE t (n INTEGER)");
  const open = await client.transaction("write");
  await open.execute("INSERT INTO t VALUES (1)");
  await server.stop();
  await expect(client.execute("SELECT 1")).rejects.toThrow();
  await server.resume();
  await client.execute("INSERT INTO t VALUES (2)");
  const { rows } = await client.execute("SELECT n FROM t");
  expect(rows.map((row) => row.n)).toEqual([2]);
});

test("the injected latency is paid once for a batch", async () => {
  const { client } = await openDatabase({ latencyMs: 200 });
  const before = performance.now();
  await client.batch(["SELECT 1", "SELECT 2", "SELECT 3"], "write");
  const tookMs = performance.now() - before;
  expect(tookMs).toBeGreaterThanOrEqual(199);
  expect(tookMs).toBeLessThan(400);
});

test("a client with the server's own fetch needs no socket", async () => {
  const { server } = await openDatabase({ token: "right" });
  const client = createClient({
    url: "http://in-process",
    authToken: "right",
    fetch: server.fetch,
  });
  await client.execute("CREATE TABLE t (n INTEGER)");
  expect((await client.execute("INSERT INTO t VALUES (1), (2)")).rowsAffected).toBe(2);
});
