import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { types } from "mediasoup";
import { customAlphabet } from "nanoid";
import type { Logger } from "pino";
import type { AgentConfig, WorkerPlan } from "../config.ts";
import type { Timing } from "../timing.ts";
import { mediaCodecs } from "./codecs.ts";
import { killProcess, spawnWorker, type WorkerProcess } from "./worker-process.ts";

const randomIncarnation = customAlphabet("0123456789abcdefghijklmnopqrstuvwxyz", 20);

/** One life of one mediasoup worker: everything said about it names the incarnation. */
export interface WorkerLife extends WorkerPlan, WorkerProcess {
  ordinal: number;
  incarnation: string;
  router: types.Router;
}

interface PoolEvents {
  /** A worker died; `replacement` has taken its place. */
  replaced: [died: WorkerLife, replacement: WorkerLife];
}

/**
 * The host's mediasoup workers, one per configured core. A worker that dies is
 * replaced under a new incarnation, for as long as it takes.
 */
export class WorkerPool extends EventEmitter<PoolEvents> {
  readonly #config: AgentConfig;
  readonly #timing: Timing;
  readonly #log: Logger;
  readonly #lives: (WorkerLife | undefined)[] = [];
  readonly #starting = new Set<Promise<WorkerLife>>();
  #closed = false;

  constructor(config: AgentConfig, timing: Timing, log: Logger) {
    super();
    this.#config = config;
    this.#timing = timing;
    this.#log = log;
  }

  /** The workers that live now, by ordinal. */
  get lives(): WorkerLife[] {
    return this.#lives.filter((life) => life !== undefined);
  }

  /**
   * Starts all workers.
   * @throws Error where one does not start, such as for a port in use
   */
  async start(): Promise<void> {
    const plans = this.#config.workers.keys();
    const started = await Promise.allSettled([...plans].map((i) => this.#startLife(i)));
    const failed = started.find((result) => result.status === "rejected");
    if (failed) {
      await this.close(0);
      throw failed.reason;
    }
  }

  /**
   * Waits until every worker lives, replacements included.
   * @throws AbortError where the signal was given first
   */
  async whole(signal: AbortSignal): Promise<WorkerLife[]> {
    while (this.lives.length < this.#config.workers.length) {
      await once(this, "replaced", { signal });
    }
    return this.lives;
  }

  /**
   * Ends every life, and with it all media, and begins a new one: routers are
   * made anew under new incarnations, so nothing said before applies any more.
   */
  async renew(): Promise<void> {
    await Promise.all(this.lives.map((life) => this.#renewLife(life)));
  }

  /**
   * Closes all workers and waits for their processes to end.
   * @param patienceMs after which processes still there are killed
   */
  async close(patienceMs: number): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#starting);
    await Promise.all(this.lives.map((life) => life.stop(patienceMs)));
    this.#lives.length = 0;
  }

  async #renewLife(old: WorkerLife): Promise<void> {
    old.router.close();
    try {
      const router = await old.worker.createRouter({ mediaCodecs });
      const incarnation = randomIncarnation();
      if (this.#lives[old.ordinal] === old) {
        this.#lives[old.ordinal] = { ...old, router, incarnation };
      }
    } catch (error) {
      // A worker without a router is of no use; its death gets it replaced.
      this.#log.error({ ordinal: old.ordinal, err: error }, "worker made no router");
      if (!old.worker.closed) killProcess(old.worker.pid);
    }
  }

  async #startLife(ordinal: number): Promise<WorkerLife> {
    const starting = this.#spawnLife(ordinal);
    this.#starting.add(starting);
    try {
      const life = await starting;
      this.#lives[ordinal] = life;
      life.worker.once("died", () => void this.#replace(ordinal));
      return life;
    } finally {
      this.#starting.delete(starting);
    }
  }

  async #spawnLife(ordinal: number): Promise<WorkerLife> {
    const plan = this.#config.workers[ordinal];
    if (!plan) throw new RangeError(`There is no worker number ${ordinal}.`);
    const port = this.#config.mediaPort + ordinal;
    const spawned = await spawnWorker(this.#config, port, this.#log);
    try {
      const router = await spawned.worker.createRouter({ mediaCodecs });
      return { ...plan, ...spawned, ordinal, router, incarnation: randomIncarnation() };
    } catch (error) {
      await spawned.stop(0);
      throw error;
    }
  }

  async #replace(ordinal: number): Promise<void> {
    const died = this.#lives[ordinal];
    if (!died || this.#closed) return;
    this.#lives[ordinal] = undefined;
    this.#log.error({ ordinal, incarnation: died.incarnation }, "worker died");
    let pauseMs = this.#timing.backoffMinMs;
    while (!this.#closed) {
      try {
        const life = await this.#startLife(ordinal);
        this.emit("replaced", died, life);
        return;
      } catch (error) {
        this.#log.error({ ordinal, err: error }, "worker does not start; trying again");
        await delay(pauseMs);
        pauseMs = Math.min(pauseMs * 2, this.#timing.backoffMaxMs);
      }
    }
  }
}
