import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { HostDescription, RegisterResponse } from "#schema/agent/control.ts";
import type { AgentConfig } from "./config.ts";
import { ControlClient } from "./link/control-client.ts";
import { retryForever } from "./link/retry.ts";
import { codecsHashOf, mediaCodecs } from "./media/codecs.ts";
import { warnOfSmallSocketBuffers } from "./media/socket-buffers.ts";
import { type WorkerLife, WorkerPool } from "./media/worker-pool.ts";
import { Metrics } from "./metrics.ts";
import { NodeKey } from "./node-key.ts";
import { Registration } from "./registration.ts";
import { Sampler } from "./sampler.ts";
import { StatusServer } from "./status-server.ts";
import { defaultTiming, type Timing } from "./timing.ts";

const packageFile = new URL("../package.json", import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, "utf8")) as { version: string };

/** One node's agent: it runs mediasoup and does what control tells it to. */
export class Agent {
  readonly config: AgentConfig;
  readonly timing: Timing;
  readonly pool: WorkerPool;
  readonly metrics: Metrics;
  /** The epoch that is being served, if any. */
  registration: Registration | undefined;
  draining = false;
  readonly #log: Logger;
  readonly #client: ControlClient;
  readonly #key: NodeKey;
  readonly #sampler: Sampler;
  readonly #status: StatusServer;
  /** The workers as control was told of them at the last registration. */
  #described: WorkerLife[] = [];
  readonly #leaving = new AbortController();
  #heardAtMs = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;

  /**
   * @param config the settings
   * @param timing delays; the defaults unless a test needs them shorter
   * @throws ConfigError where the node's key can be neither read nor made
   */
  constructor(config: AgentConfig, log: Logger, timing: Partial<Timing> = {}) {
    this.config = config;
    this.#log = log;
    this.timing = { ...defaultTiming, ...timing };
    this.#key = NodeKey.load(config.stateFolder, config.nodeName);
    this.pool = new WorkerPool(config, this.timing, log);
    this.#sampler = new Sampler(this.pool, log);
    this.#client = new ControlClient({
      controlUrl: config.controlUrl,
      requestTimeoutMs: this.timing.requestTimeoutMs,
      onHeard: () => {
        this.#heardAtMs = performance.now();
      },
    });
    this.metrics = new Metrics(this);
    this.#status = new StatusServer(this);
  }

  /** Whether the agent is registered and control was heard of late. */
  get healthy(): boolean {
    const unheardMs = performance.now() - this.#heardAtMs;
    return this.registration !== undefined && unheardMs < this.timing.unheardMs;
  }

  /** Share of one core that each worker used of late, by incarnation. */
  cpuPercent(incarnation: string): number {
    const life = this.pool.lives.find((one) => one.incarnation === incarnation);
    return life ? this.#sampler.cpuPercent(life, Number.POSITIVE_INFINITY) : 0;
  }

  /**
   * Starts the workers and begins to serve; returns once the workers run.
   * @throws Error where a worker or the status server does not start
   */
  async start(): Promise<void> {
    await warnOfSmallSocketBuffers(this.#log);
    await this.pool.start();
    try {
      await this.#status.start();
    } catch (error) {
      await this.pool.close(0);
      throw error;
    }
    this.#running = this.#serve();
  }

  /**
   * Takes nothing new and waits until control has no claim on this node.
   * @returns when the last claim is gone or the deadline has passed
   */
  async drain(): Promise<void> {
    this.draining = true;
    this.registration?.beatNow();
    const deadlineMs = performance.now() + this.config.drainMs;
    const { signal } = this.#leaving;
    while (!signal.aborted && performance.now() < deadlineMs) {
      if (this.registration?.drained) return;
      const leftMs = deadlineMs - performance.now();
      await this.#pause(Math.min(leftMs, 500));
      this.registration?.beatNow();
    }
  }

  /**
   * Tells control that the agent ends now, so that nobody waits for its lease.
   * Best effort, and short: where control is not there, the lease says it.
   */
  async sayGoodbye(): Promise<void> {
    await this.registration?.sayGoodbye();
  }

  /**
   * Leaves at once: closes all media and ends the workers' processes.
   * @param patienceMs after which a worker still there is killed
   */
  async leave(patienceMs = 500): Promise<void> {
    this.#leaving.abort();
    await Promise.all([this.#status.stop(), this.pool.close(patienceMs), this.#running]);
  }

  async #serve(): Promise<void> {
    const { signal } = this.#leaving;
    while (!signal.aborted) {
      const startedMs = performance.now();
      try {
        await this.#serveRegistration(await this.#register(signal), signal);
      } catch (error) {
        if (!signal.aborted) this.#log.error({ err: error }, "registration failed");
      }
      if (signal.aborted) return;
      await this.pool.renew();
      // Two hosts with one node's name would fence each other without a pause.
      const lastedMs = performance.now() - startedMs;
      const pauseMs = this.timing.backoffMaxMs * (0.5 + Math.random());
      if (lastedMs < this.timing.backoffMaxMs) await this.#pause(pauseMs);
    }
  }

  async #pause(pauseMs: number): Promise<void> {
    const { signal } = this.#leaving;
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }

  async #register(signal: AbortSignal): Promise<RegisterResponse> {
    const parts = { what: "register", timing: this.timing, log: this.#log, signal };
    return retryForever(parts, async () => {
      const body = await this.#describe();
      return this.#client.register(this.config.nodeKey, this.#key, body, signal);
    });
  }

  async #serveRegistration(answer: RegisterResponse, signal: AbortSignal): Promise<void> {
    const { nodeId, epoch } = answer;
    const log = this.#log.child({ nodeId, epoch });
    log.info("registered");
    const { config, timing, pool } = this;
    this.registration = new Registration({
      answer,
      config,
      timing,
      log,
      pool,
      client: this.#client,
      sampler: this.#sampler,
      isDraining: () => this.draining,
      observeCall: (...observed) => this.metrics.observeCall(...observed),
      onPollError: () => this.metrics.countPollError(),
    });
    this.#reportMissedDeaths(this.registration);
    try {
      await this.registration.serve(signal);
      if (!signal.aborted) log.warn("fenced: all media closed, registering again");
    } finally {
      this.registration = undefined;
    }
  }

  /** Reports workers that were replaced while control was being asked. */
  #reportMissedDeaths(registration: Registration): void {
    for (const told of this.#described) {
      const now = this.pool.lives.find((life) => life.ordinal === told.ordinal);
      const replaced = now && now.incarnation !== told.incarnation;
      if (replaced) registration.media.reportReplaced(told, now);
    }
  }

  async #describe(): Promise<HostDescription> {
    const lives = await this.pool.whole(this.#leaving.signal);
    this.#described = lives;
    const first = lives[0];
    if (!first) throw new Error("No worker runs.");
    const { nodeName, egressKbps, ingressKbps, egressQuotaGbPerMonth } = this.config;
    const { pipeAddress, announcedAddress } = this.config;
    return {
      name: nodeName,
      agentVersion: version,
      workers: lives.map(({ ordinal, incarnation, role, mediaClass, points }) => {
        return { ordinal, incarnation, role, mediaClass, points };
      }),
      egressKbps,
      ingressKbps,
      egressQuotaGbPerMonth,
      codecsHash: codecsHashOf(mediaCodecs),
      routerRtpCapabilities: { ...first.router.rtpCapabilities },
      addresses: { pipe: pipeAddress, media: announcedAddress },
    };
  }
}
