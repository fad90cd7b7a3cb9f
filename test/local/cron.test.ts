import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startCron } from "#control/local/cron.ts";
import { waitFor } from "#test/harness/wait-for.ts";

test("cron reaches the handler again and again, and tells an outage once", async () => {
  let status = 200;
  const fired: string[] = [];
  const server = createServer((request, response) => {
    fired.push(`${status} ${request.headers.host} ${request.url}`);
    response.writeHead(status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const said: string[] = [];
  const { port } = server.address() as AddressInfo;
  const stop = startCron(`http://127.0.0.1:${port}`, (text) => said.push(text), 20);
  onTestFinished(() => {
    stop();
    server.close();
  });
  await waitFor(() => fired.length >= 3, { what: "three firings" });
  expect(new Set(fired)).toEqual(
    new Set(["200 localhost /cdn-cgi/local/scheduled?cron=*+*+*+*+*"]),
  );
  expect(said).toEqual([]);
  status = 500;
  const failures = () => fired.filter((entry) => entry.startsWith("500")).length;
  await waitFor(() => failures() >= 3, { what: "three failures" });
  expect(said).toEqual(["cron does not reach control: status 500"]);
  status = 200;
  await waitFor(() => said.length === 2, { what: "the end of the outage" });
  expect(said[1]).toBe("cron reaches control again");
});
