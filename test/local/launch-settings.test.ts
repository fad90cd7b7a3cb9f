import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { mediaPorts, planHosts } from "#control/local/agents.ts";
import { LaunchError, readLaunchConfig } from "#control/local/config.ts";
import { loadKeys } from "#control/local/keys.ts";
import { requirePorts } from "#control/local/ports.ts";
import { claimRun } from "#control/local/run-file.ts";
import { agentLines, controlLines } from "#control/local/shown-lines.ts";
import { tempFolder } from "./database-fixture.ts";

test("with no settings at all everything has its documented default", () => {
  const example = readFileSync(join(import.meta.dirname, "../../.env.example"), "utf8");
  const lines = example.split("\n").filter((line) => /^[A-Z]/.test(line));
  const env = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
  expect(Object.keys(env).length).toBeGreaterThan(15);
  expect(readLaunchConfig(env)).toEqual(readLaunchConfig({}));
});

test.each([
  ["WEIR_PORT", "http", "use a number"],
  ["WEIR_PORT", "80", "below 1024"],
  ["WEIR_HOST", "example.org", "no IP address"],
  ["WEIR_MEDIA_PORT", "65400", "at most 65235"],
  ["WEIR_PRODUCER_WORKERS", "0", "1 or more"],
  ["WEIR_SETTINGS", '{"weight":{"pointsPerWorker":-1}}', "weight.pointsPerWorker"],
  ["WEIR_SETTINGS", "{", "cannot be used"],
  ["WEIR_LOBBY", "ajar", "neither open nor closed"],
  ["WEIR_SECRET_KEY", "abc", "64 hex digits"],
  ["WEIR_SECRET_KEY_PREVIOUS", "abc", "64 hex digits"],
  ["WEIR_LOG_LEVEL", "loud", "none of"],
])("a wrong %s (%s) is one line that names it and the remedy", (name, value, remedy) => {
  const read = () => readLaunchConfig({ [name]: value });
  expect(read).toThrow(LaunchError);
  expect(read).toThrow(new RegExp(`^${name} [^\n]*${remedy}[^\n]*$`));
});

test("keys are made once, kept for their owner only, and yield to the environment", () => {
  const folder = tempFolder();
  const made = loadKeys(folder, "local", {});
  expect(made.api).toMatch(/^key_local_[a-z0-9]{16}\.[a-z0-9]{40}$/);
  expect(statSync(join(folder, "keys.json")).mode & 0o777).toBe(0o600);
  expect(loadKeys(folder, "local", { node: undefined })).toEqual(made);
  const node = "nk_given_by_the_operator";
  expect(loadKeys(folder, "local", { node })).toEqual({ ...made, node });
  expect(loadKeys(folder, "local", {})).toEqual(made);
  writeFileSync(join(folder, "keys.json"), "[]");
  expect(() => loadKeys(folder, "local", {})).toThrow(/remove it/);
});

test("the two hosts never share a port, however many workers they have", () => {
  const most = readLaunchConfig({
    WEIR_PRODUCER_WORKERS: "12",
    WEIR_CONSUMER_WORKERS: "12",
    WEIR_SCREEN_WORKERS: "12",
  });
  const hosts = planHosts(most);
  const ports = hosts.flatMap((host) => [
    ...mediaPorts(most, host)
      .filter(({ protocol }) => protocol === "udp")
      .map(({ port }) => port),
    ...Array.from({ length: 100 }, (_, at) => host.pipePorts.min + at),
  ]);
  expect(hosts.every(({ pipePorts }) => pipePorts.max - pipePorts.min === 99)).toBe(true);
  expect(new Set(ports).size).toBe(ports.length);
  expect(Math.max(...ports)).toBeLessThan(most.mediaPort + 300);
});

test("a taken port is named together with the setting that moves it", async () => {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  onTestFinished(() => void socket.close());
  await once(socket, "listening");
  const { port } = socket.address();
  const wanted = {
    port,
    address: "127.0.0.1",
    what: "media",
    setting: "WEIR_MEDIA_PORT",
  };
  await requirePorts([{ ...wanted, protocol: "tcp" }]);
  const taken = requirePorts([{ ...wanted, protocol: "udp" }]);
  await expect(taken).rejects.toThrow(new RegExp(`${port}/udp.*WEIR_MEDIA_PORT`));
});

test("a data folder has one run at a time, and a recycled pid does not block it", async () => {
  const folder = tempFolder();
  const run = await claimRun(folder, () => {});
  await expect(claimRun(folder, () => {})).rejects.toThrow(/already.*WEIR_DATA/);
  const file = join(folder, "run.json");
  const written = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...written, startedAt: "another boot 1" }));
  const next = await claimRun(folder, () => {});
  expect(next.runId).not.toBe(run.runId);
  await next.end();
  writeFileSync(file, "not even JSON");
  await (await claimRun(folder, () => {})).end();
});

test("the terminal shows warnings and crashes of an agent, not its chatter", () => {
  const show = agentLines("warn");
  expect(show('{"level":30,"time":1,"msg":"registered"}')).toBeUndefined();
  expect(show('{"level":40,"time":1,"pid":2,"msg":"slow","ms":9}')).toBe(
    'warn: slow {"ms":9}',
  );
  expect(show("TypeError: x is undefined")).toBe("TypeError: x is undefined");
  expect(agentLines("debug")('{"level":20,"msg":"polled"}')).toBe("debug: polled");
});

test("the terminal shows control's errors with their details, not its requests", () => {
  const show = controlLines("warn");
  expect(show("[wrangler:info] GET /readyz 200 OK (4ms)")).toBeUndefined();
  expect(show("\u001b[31m✘ [ERROR] Uncaught Error: broken\u001b[0m")).toContain("broken");
  expect(show("    at fetch (worker.ts:3:4)")).toContain("worker.ts");
  expect(show("[wrangler:info] GET / 200 OK (4ms)")).toBeUndefined();
});
