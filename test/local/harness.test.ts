import { afterAll, beforeAll, expect, test } from "vitest";
import { startAgent } from "#test/harness/agent.ts";
import type { Control } from "#test/harness/control.ts";
import { startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";

let control: Control;
beforeAll(async () => {
  control = await startControl();
}, 60_000);
afterAll(() => control.stop());

const ready = async () => (await control.call("GET", "/readyz")).status;

test("control is not ready while its database is away, and alive all the time", async () => {
  expect(await ready()).toBe(200);
  await control.databaseServer.stop();
  const [readiness, liveness] = await Promise.all([
    waitFor(async () => (await ready()) === 503, { what: "503 from /readyz" }),
    control.call("GET", "/livez"),
  ]);
  expect([readiness, liveness.status]).toEqual([true, 200]);
  await control.databaseServer.resume();
  await waitFor(async () => (await ready()) === 200, { what: "200 from /readyz" });
}, 60_000);

test("a real agent registers its workers in the database, and again after a kill", async () => {
  const workers = "producer:camera:1,consumer:camera:2";
  const epochs: unknown[] = [];
  for (let life = 0; life < 2; life++) {
    const agent = await startAgent({ control, name: "host-x", workers });
    const state = await agent.state();
    expect(state.workers).toHaveLength(3);
    epochs.push(state.epoch);
    await agent.kill();
    expect(await agent.healthy()).toBe(false);
  }
  expect(Number(epochs[1])).toBeGreaterThan(Number(epochs[0]));
  const { body } = await control.call("GET", "/v1/nodes", { key: control.keys.operator });
  expect(JSON.stringify(body)).toContain("node_local_host-x");
}, 60_000);

test("an object that was evicted answers again, from what the database has", async () => {
  const nodes = () => control.call("GET", "/v1/nodes", { key: control.keys.operator });
  const before = await nodes();
  await control.evict("ZoneBroker", control.zone);
  const after = await nodes();
  expect([before.status, after.status]).toEqual([200, 200]);
  expect(after.body.nodes).toHaveLength(before.body.nodes.length);
}, 60_000);
