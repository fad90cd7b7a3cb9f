import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AgentState } from "#agent/state.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { ControlDriver } from "./control-driver.ts";
import { connectPair, openLegs, TestBroadcast, TestViewer } from "./participants.ts";
import { agentEnv } from "./rig.ts";
import { RtpPeer } from "./rtp-peer.ts";

const main = fileURLToPath(new URL("../../node-agent/main.ts", import.meta.url));

let control: ControlDriver;
let child: ChildProcess | undefined;
const peers: RtpPeer[] = [];
beforeEach(async () => {
  control = new ControlDriver();
  await control.start();
});
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.vanish()));
  child?.kill("SIGKILL");
  child = undefined;
  await control.stop();
});

function run(env: Record<string, string>): ChildProcess {
  child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "pipe"] });
  return child;
}

async function ended(process: ChildProcess): Promise<number | null> {
  if (process.exitCode !== null) return process.exitCode;
  const [code] = await once(process, "exit");
  return code;
}

async function startAgent(settings: Record<string, string> = {}) {
  const workers = "producer:camera:1,consumer:camera:1";
  const env = await agentEnv(control.url, "one", workers);
  const metricsPort = String(Number(env.WEIR_MEDIA_PORT) + 5);
  const agent = run({ ...env, WEIR_METRICS_PORT: metricsPort, ...settings });
  const node = await control.node("one");
  const status = `http://127.0.0.1:${metricsPort}`;
  const state = (await (await fetch(`${status}/state`)).json()) as AgentState;
  return { agent, node, status, pids: state.workers.map((worker) => worker.pid) };
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function peer(): Promise<RtpPeer> {
  const made = await RtpPeer.create();
  peers.push(made);
  return made;
}

const goodbye = { kind: "node-left" };

test("SIGINT ends the agent within a second, with a goodbye, and leaves no worker behind", async () => {
  const { agent, node, pids } = await startAgent();
  expect(pids.map(lives)).toEqual([true, true]);
  const startedMs = performance.now();
  agent.kill("SIGINT");
  expect(await ended(agent)).toBe(0);
  expect(performance.now() - startedMs).toBeLessThan(1000);
  expect(pids.map(lives)).toEqual([false, false]);
  expect(node.events).toContainEqual(goodbye);
});

test("a second SIGINT does not wait for control to take the goodbye", async () => {
  const { agent } = await startAgent();
  const { promise: heard, resolve: hear } = Promise.withResolvers<void>();
  control.onReport = () => {
    hear();
    return new Promise<never>(() => undefined);
  };
  agent.kill("SIGINT");
  await heard;
  agent.kill("SIGINT");
  expect(await ended(agent)).toBe(0);
});

test("SIGTERM keeps media flowing until control has no claim left", async () => {
  const { agent, node, pids } = await startAgent();
  node.claims = 2;
  const broadcast = new TestBroadcast(node, 0, await peer());
  await broadcast.start();
  const viewer = new TestViewer(node, 1, await peer());
  await connectPair(broadcast, viewer);
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  agent.kill("SIGTERM");
  await waitFor(() => node.heartbeats.at(-1)?.draining, { what: "a draining heartbeat" });
  await viewer.moreOf("video", 50);
  expect(pids.map(lives)).toEqual([true, true]);
  expect(node.events).not.toContainEqual(goodbye);
  node.claims = 0;
  expect(await ended(agent)).toBe(0);
  expect(pids.map(lives)).toEqual([false, false]);
  expect(node.events).toContainEqual(goodbye);
});

test("a second SIGTERM leaves at once, and so does the deadline", async () => {
  const first = await startAgent();
  first.node.claims = 1;
  first.agent.kill("SIGTERM");
  const draining = () => first.node.heartbeats.at(-1)?.draining;
  await waitFor(draining, { what: "a draining heartbeat" });
  first.agent.kill("SIGTERM");
  expect(await ended(first.agent)).toBe(0);

  const env = await agentEnv(control.url, "two", "consumer:camera:1");
  const second = run({ ...env, WEIR_DRAIN_MS: "200" });
  const node = await control.node("two");
  node.claims = 1;
  second.kill("SIGTERM");
  expect(await ended(second)).toBe(0);
});

test("health, metrics and state tell how the agent is", async () => {
  const { node, status } = await startAgent();
  await waitFor(async () => (await fetch(`${status}/healthz`)).ok, { what: "health" });
  const broadcast = new TestBroadcast(node, 0, await peer());
  await broadcast.start();
  const text = await (await fetch(`${status}/metrics`)).text();
  expect(text).toContain("weir_agent_workers 2\n");
  expect(text).toContain("weir_agent_producers 2\n");
  expect(text).toMatch(/call_duration_seconds_count\{op="produce",outcome="ok"\} 2/);
  const state = await (await fetch(`${status}/state`)).json();
  expect(state).toMatchObject({
    registered: true,
    nodeId: node.nodeId,
    broadcasts: [{ broadcastId: broadcast.broadcastId, tracks: [{}, {}] }],
    workers: [{ mediasoup: { transports: 1, producers: 2 } }, {}],
  });
});

test("an agent whose control is not there stays and is not healthy", async () => {
  await control.stop();
  const env = await agentEnv(control.url, "one", "consumer:camera:1");
  const metricsPort = String(Number(env.WEIR_MEDIA_PORT) + 5);
  const agent = run({ ...env, WEIR_METRICS_PORT: metricsPort });
  const status = async () =>
    (await fetch(`http://127.0.0.1:${metricsPort}/healthz`)).status;
  await waitFor(async () => (await status()) === 503, { what: "ill health" });
  await control.start();
  await control.node("one");
  await waitFor(async () => (await status()) === 200, { what: "health" });
  expect(agent.exitCode).toBeNull();
});

test("wrong settings end the agent with a line for each of them", async () => {
  const env = await agentEnv(control.url, "one", "consumer:camera:1");
  const agent = run({ ...env, WEIR_WORKERS: "watcher:camera:1", WEIR_NODE_KEY: "" });
  const chunks: Buffer[] = [];
  agent.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
  expect(await ended(agent)).toBe(1);
  const lines = Buffer.concat(chunks).toString("utf8").trim().split("\n");
  expect(lines).toEqual([
    expect.stringMatching(/^WEIR_NODE_KEY is missing/),
    expect.stringMatching(/^WEIR_WORKERS cannot read "watcher:camera:1"/),
  ]);
});
