import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { waitFor } from "#test/harness/wait-for.ts";
import { tempFolder } from "./database-fixture.ts";
import {
  launch,
  launchReady,
  makeSite,
  processesOf,
  runIdOf,
} from "./launcher-process.ts";

const timeout = 120_000;

test("npm start comes up with both hosts, and Ctrl-C leaves no process within 5 s", {
  timeout,
}, async () => {
  const site = await makeSite(tempFolder());
  const weir = await launchReady(site);
  expect(weir.printed()).toMatch(/^api key key_local_[a-z0-9]{16}\.[a-z0-9]{40}$/m);
  expect(weir.printed()).toMatch(/^operator key op_[a-z0-9]{40}$/m);
  expect(weir.printed()).toMatch(
    new RegExp(`^ready http://localhost:${site.port}$`, "m"),
  );
  const operatorKey = /^operator key (\S+)$/m.exec(weir.printed())?.[1];
  const response = await fetch(`http://localhost:${site.port}/v1/nodes`, {
    headers: { authorization: `Bearer ${operatorKey}` },
  });
  expect(await response.text()).toMatch(/host-a[\s\S]*host-b|host-b[\s\S]*host-a/);

  const runId = runIdOf(site.dataFolder);
  // Both agents, their workers, wrangler and its own children.
  expect(processesOf(site.dataFolder).length).toBeGreaterThanOrEqual(8);
  const askedAt = performance.now();
  weir.signal("SIGINT");
  expect(await weir.ended).toBe(0);
  expect(performance.now() - askedAt).toBeLessThan(5000);
  expect(processesOf(site.dataFolder, runId)).toEqual([]);
});

test("after a kill -9 the next start clears what was left and goes on with the same data", {
  timeout,
}, async () => {
  const site = await makeSite(tempFolder());
  const first = await launchReady(site);
  const firstRun = runIdOf(site.dataFolder);
  const refused = launch(site);
  expect(await refused.ended).toBe(1);
  expect(refused.printed()).toMatch(/^weir: Weir runs on .* already .*WEIR_DATA.*\n$/);
  first.signal("SIGKILL");
  await first.ended;
  expect(processesOf(site.dataFolder, firstRun).length).toBeGreaterThan(0);

  const second = await launchReady(site);
  expect(second.printed()).toMatch(/cleared \d+ processes/);
  expect(processesOf(site.dataFolder, firstRun)).toEqual([]);
  const keyLine = /^api key .*$/m;
  expect(keyLine.exec(second.printed())?.[0]).toBe(keyLine.exec(first.printed())?.[0]);

  const secondRun = runIdOf(site.dataFolder);
  second.signal("SIGTERM");
  expect(await second.ended).toBe(0);
  expect(processesOf(site.dataFolder, secondRun)).toEqual([]);
});

test("an agent that dies is started again; control's death ends everything with a line", {
  timeout,
}, async () => {
  const site = await makeSite(tempFolder());
  const weir = await launchReady(site);
  const runId = runIdOf(site.dataFolder);
  const running = (script: string) =>
    processesOf(site.dataFolder, runId).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(script),
    );
  const [victim = 0] = running("node-agent/main.ts");
  process.kill(victim, "SIGKILL");
  await waitFor(() => /host-[ab] ended by itself/.test(weir.printed()), {
    what: "the launcher to notice",
  });
  await waitFor(
    () => {
      const agents = running("node-agent/main.ts");
      return agents.length === 2 && !agents.includes(victim);
    },
    { what: "the agent to be started again" },
  );
  process.kill(running("wrangler/bin/wrangler.js")[0] ?? 0, "SIGKILL");
  expect(await weir.ended).toBe(1);
  expect(weir.printed()).toMatch(/^weir: control ended by itself .*control\.log$/m);
  expect(processesOf(site.dataFolder, runId)).toEqual([]);
});

test("no secret can be read by others in the data folder", { timeout }, async () => {
  const site = await makeSite(tempFolder());
  const weir = launch(site);
  await waitFor(() => weir.printed().includes("control: starting"), {
    what: "control to be started",
    timeoutMs: 30_000,
  });
  await waitFor(() => readdirSync(site.dataFolder).includes("control.env"), {
    what: "the environment file",
  });
  expect(statSync(site.dataFolder).mode & 0o077).toBe(0);
  for (const name of ["keys.json", "control.env"]) {
    expect(statSync(join(site.dataFolder, name)).mode & 0o077).toBe(0);
  }
  weir.signal("SIGTERM");
  expect(await weir.ended).toBe(0);
});
