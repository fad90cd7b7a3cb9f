import { createSocket } from "node:dgram";
import { once } from "node:events";
import { pino } from "pino";
import { Agent } from "#agent/agent.ts";
import { type AgentConfig, readConfig } from "#agent/config.ts";
import { stateOf } from "#agent/state.ts";
import type { Timing } from "#agent/timing.ts";
import { stateFolder } from "#test/harness/agent.ts";
import { ControlDriver, nodeKey } from "./control-driver.ts";
import type { DrivenNode } from "./driven-node.ts";
import { RtpPeer } from "./rtp-peer.ts";

async function isFree(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  try {
    socket.bind(port, "127.0.0.1");
    await once(socket, "listening");
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

/** The first of `count` free UDP ports in a row, below the ephemeral range. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const base = 12_000 + Math.floor(Math.random() * 20_000);
    const ports = Array.from({ length: count }, (_, index) => base + index);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return base;
  }
}

/** The environment of an agent on loopback. */
export async function agentEnv(
  controlUrl: string,
  name: string,
  workers: string,
): Promise<Record<string, string>> {
  const base = await freePorts(60);
  return {
    WEIR_CONTROL_URL: controlUrl,
    WEIR_NODE_KEY: nodeKey,
    WEIR_NODE_NAME: name,
    WEIR_STATE: stateFolder,
    WEIR_WORKERS: workers,
    WEIR_LISTEN_IP: "127.0.0.1",
    WEIR_MEDIA_PORT: String(base),
    WEIR_PIPE_PORTS: `${base + 10}-${base + 59}`,
    WEIR_LOG_LEVEL: process.env.WEIR_TEST_LOG ?? "silent",
  };
}

/** Control's driver and real agents with real mediasoup workers, for one test. */
export class Rig {
  readonly control = new ControlDriver();
  readonly agents: Agent[] = [];
  readonly #peers: RtpPeer[] = [];

  /** Starts control's driver. */
  async start(): Promise<this> {
    await this.control.start();
    return this;
  }

  /** Starts an agent and waits until it has registered. */
  async agent(
    name: string,
    workers: string,
    timing: Partial<Timing> = {},
    overrides: Partial<AgentConfig> = {},
  ): Promise<{ agent: Agent; node: DrivenNode }> {
    const config = readConfig(await agentEnv(this.control.url, name, workers));
    const log = pino({ level: config.logLevel, base: { node: name } });
    const quick = { backoffMinMs: 20, backoffMaxMs: 200, ...timing };
    const agent = new Agent({ ...config, ...overrides }, log, quick);
    this.agents.push(agent);
    await agent.start();
    return { agent, node: await this.control.node(name) };
  }

  /** A fresh client, gone when the test is over. */
  async peer(): Promise<RtpPeer> {
    const peer = await RtpPeer.create();
    this.#peers.push(peer);
    return peer;
  }

  /** Ends everything that was started. */
  async close(): Promise<void> {
    await Promise.all(this.#peers.map((peer) => peer.vanish()));
    await Promise.all(this.agents.map((agent) => agent.leave(0)));
    await this.control.stop();
  }
}

/** mediasoup's own counts on one worker. */
export async function countsOf(agent: Agent, ordinal: number) {
  const state = await stateOf(agent);
  const worker = state.workers.find((one) => one.ordinal === ordinal);
  if (!worker) throw new Error(`no worker ${ordinal}`);
  return worker.mediasoup;
}
