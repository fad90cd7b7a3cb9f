import { setTimeout as delay } from "node:timers/promises";
import type { AgentState } from "#agent/state.ts";
import type { Keys } from "#control/local/keys.ts";
import { type RunningAgent, startAgent } from "#test/harness/agent.ts";
import { childrenOf, signalIfThere } from "#test/harness/children.ts";
import { NodeLink } from "./node-link.ts";

export interface FleetOptions {
  control: { url: string; keys: Keys };
  zone: string;
  /** What each host's workers are, as in WEIR_WORKERS. */
  hosts: readonly string[];
  /** How long a draining agent waits, in milliseconds. */
  drainMs: number;
}

/** One media host: a real agent, and its way to control. */
export class Host {
  readonly name: string;
  readonly nodeId: string;
  readonly link: NodeLink;
  readonly #options: FleetOptions;
  readonly #workers: string;
  #agent: RunningAgent | undefined;
  #url = "";

  constructor(options: FleetOptions, at: number) {
    this.#options = options;
    this.#workers = options.hosts[at] ?? "";
    this.name = `host-${at + 1}`;
    this.nodeId = `node_${options.zone}_${this.name}`;
    this.link = new NodeLink(() => options.control.url);
  }

  /** The agent that runs at present, if one does. */
  get agent(): RunningAgent | undefined {
    return this.#agent;
  }

  async open(): Promise<void> {
    this.#url = await this.link.listen();
    await this.start();
  }

  /** Starts the agent, on a clock that may be wrong, and waits until control knows it. */
  async start(clockOffsetMs = 0): Promise<void> {
    const { control, drainMs } = this.#options;
    this.#agent = await startAgent({
      control: { url: this.#url, keys: control.keys },
      name: this.name,
      workers: this.#workers,
      clockOffsetMs,
      waitUntilHealthy: false,
      env: { WEIR_LOG_LEVEL: "info", WEIR_DRAIN_MS: String(drainMs) },
    });
  }

  /** Ends the agent at once, with its mediasoup workers. */
  async kill(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.kill();
  }

  /**
   * Holds the whole host still, media workers and all: nothing comes from it any
   * more, and what is sent to it waits, as on a machine that is cut off.
   */
  freeze(): void {
    this.#signalAll("SIGSTOP");
  }

  /** Lets it go on where it stood. */
  thaw(): void {
    this.#signalAll("SIGCONT");
  }

  #signalAll(signal: "SIGSTOP" | "SIGCONT"): void {
    const agent = this.#agent;
    if (!agent) return;
    // The agent first: it would take workers that are still for dead.
    agent.signal(signal);
    for (const pid of childrenOf(agent.pid, "mediasoup")) signalIfThere(pid, signal);
  }

  /**
   * Lets the agent drain and leave.
   * @returns its exit code, and the claims that it left with
   */
  async drain(): Promise<{ code?: number | null; claims?: number }> {
    const agent = this.#agent;
    const code = await agent?.stop("SIGTERM");
    this.#agent = undefined;
    const drained = agent?.logs().find((line) => line.includes('"drained"'));
    const { claims } = JSON.parse(drained ?? "{}") as { claims?: number };
    return { code, claims };
  }

  /** What the agent holds, or undefined while it cannot say. */
  async state(): Promise<AgentState | undefined> {
    return this.#agent?.state().catch(() => undefined);
  }

  async isHealthy(): Promise<boolean> {
    return (await this.#agent?.healthy()) ?? false;
  }

  async close(): Promise<void> {
    this.thaw();
    await this.kill();
    await this.link.close();
  }
}

/** All hosts of a run. */
export class Fleet {
  readonly hosts: readonly Host[];

  constructor(options: FleetOptions) {
    this.hosts = options.hosts.map((_, at) => new Host(options, at));
  }

  /** Starts the hosts one by one and waits until control knows them. */
  async open(): Promise<void> {
    for (const host of this.hosts) await host.open();
    await this.healthy(60_000);
  }

  /** A host that carries what `has` asks for; one that cannot say need not be asked. */
  async hostWith(has: "views" | "broadcasts", except?: Host): Promise<Host | undefined> {
    for (const host of this.hosts) {
      if (host === except) continue;
      const state = await host.state();
      if (state && state[has].length > 0) return host;
    }
    return undefined;
  }

  /** @throws Error where a host does not become healthy in time */
  async healthy(timeoutMs: number): Promise<void> {
    const untilMs = performance.now() + timeoutMs;
    for (const host of this.hosts) {
      while (!(await host.isHealthy())) {
        if (performance.now() > untilMs) {
          const lines = host.agent?.logs().slice(-20).join("\n");
          throw new Error(`${host.name} is not healthy:\n${lines}`);
        }
        await delay(100);
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.close()));
  }
}
