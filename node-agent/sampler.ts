import type { Logger } from "pino";
import { nodeIdOfWorker } from "#schema/ids.ts";
import { DryPairs } from "./media/dry-pairs.ts";
import type { Media } from "./media/media.ts";
import type { Pair } from "./media/pairs.ts";
import type { ClientTransport } from "./media/transports.ts";
import type { WorkerLife, WorkerPool } from "./media/worker-pool.ts";
import { killProcess } from "./media/worker-process.ts";

interface WorkerSample {
  cpuMs: number;
  cpuPercent: number;
  egressBps: number;
  ingressBps: number;
  /** Milliseconds of uptime at which the worker answered. */
  atMs: number;
}

interface Asked {
  /** Milliseconds of uptime. */
  sinceMs: number;
  /** How often it was its turn again since. */
  rounds: number;
}

/** An agent that slept finds no worker silent before these many turns have come. */
const roundsMin = 3;

/** Whether a worker that it is the turn of again has been silent for too long. */
function hangs(asked: Asked, silentMs: number): boolean {
  return asked.rounds >= roundsMin && performance.now() - asked.sinceMs >= silentMs;
}

/**
 * Measures workers and traffic apart from the heartbeat, and each worker by
 * itself: neither the lease nor the others' figures may wait for a worker that
 * is too busy to answer.
 */
export class Sampler {
  readonly #pool: WorkerPool;
  readonly #log: Logger;
  /** By incarnation. */
  readonly #samples = new Map<string, WorkerSample>();
  /** Workers that are asked and have not answered yet, by incarnation. */
  readonly #asked = new Map<string, Asked>();
  readonly #dryPairs = new DryPairs();
  readonly #overSinceMs = new WeakMap<ClientTransport, number>();
  readonly #heard = new WeakMap<ClientTransport, { bytes: number; atMs: number }>();

  constructor(pool: WorkerPool, log: Logger) {
    this.#pool = pool;
    this.#log = log;
  }

  /** The host's media traffic as last measured, in kbit/s. */
  get traffic(): { egressKbps: number; ingressKbps: number } {
    const samples = [...this.#samples.values()];
    const egressBps = samples.reduce((sum, one) => sum + one.egressBps, 0);
    const ingressBps = samples.reduce((sum, one) => sum + one.ingressBps, 0);
    return {
      egressKbps: Math.round(egressBps / 1000),
      ingressKbps: Math.round(ingressBps / 1000),
    };
  }

  /**
   * Share of one core that a worker used of late, 0-100.
   * @param staleMs a worker that said nothing for so long counts as full
   */
  cpuPercent(life: WorkerLife, staleMs: number): number {
    const sample = this.#samples.get(life.incarnation);
    if (!sample) return 0;
    return performance.now() - sample.atMs > staleMs ? 100 : sample.cpuPercent;
  }

  /**
   * Begins to measure every worker that has answered the last time, and kills those
   * that have not for too long: a worker that hangs serves nobody, and another one
   * takes its place only once it has died.
   */
  measure(media: Media): void {
    const { lives } = this.#pool;
    const living = new Set(lives.map((life) => life.incarnation));
    for (const incarnation of this.#samples.keys()) {
      if (!living.has(incarnation)) this.#samples.delete(incarnation);
    }
    for (const life of lives) {
      const asked = this.#asked.get(life.incarnation);
      if (!asked) {
        void this.#measureLife(life, media);
        continue;
      }
      asked.rounds += 1;
      if (hangs(asked, media.context.timing.workerSilentMs)) {
        this.#log.error({ ordinal: life.ordinal }, "worker hangs; killing it");
        killProcess(life.worker.pid);
      }
    }
    media.pairs.sweep(pairUses(media), performance.now());
  }

  async #measureLife(life: WorkerLife, media: Media): Promise<void> {
    const { incarnation } = life;
    this.#asked.set(incarnation, { sinceMs: performance.now(), rounds: 0 });
    try {
      const usage = await life.worker.getResourceUsage();
      const traffic = await this.#measureTraffic(life, media);
      const atMs = performance.now();
      const cpuMs = usage.ru_utime + usage.ru_stime;
      const before = this.#samples.get(incarnation);
      const share = before ? (cpuMs - before.cpuMs) / (atMs - before.atMs) : 0;
      const cpuPercent = Math.min(100, Math.max(0, share * 100));
      this.#samples.set(incarnation, { cpuMs, cpuPercent, ...traffic, atMs });
    } catch (error) {
      // A worker that died meanwhile is replaced elsewhere.
      if (!life.worker.closed) this.#log.warn({ err: error }, "worker not measured");
    } finally {
      this.#asked.delete(incarnation);
    }
  }

  async #measureTraffic(life: WorkerLife, media: Media) {
    let egressBps = 0;
    let ingressBps = 0;
    const clients = media.transports.all
      .filter((transport) => transport.life === life)
      .map(async (transport) => {
        const [stat] = await transport.webRtc.getStats();
        egressBps += stat?.sendBitrate ?? 0;
        ingressBps += stat?.recvBitrate ?? 0;
        if (transport.direction === "send") {
          this.#guardBitrate(media, transport, stat?.rtpRecvBitrate ?? 0);
        }
        if (transport.carries) {
          this.#guardSilence(media, transport, stat?.bytesReceived ?? 0);
        }
      });
    const pairs = media.pairs.all
      .filter((pair) => pair.own === life)
      // A pipe within the host costs its network nothing.
      .filter((pair) => nodeIdOfWorker(pair.peer.workerId) !== media.context.nodeId)
      .map(async (pair) => {
        const [stat] = await pair.transport.getStats();
        egressBps += stat?.sendBitrate ?? 0;
        ingressBps += stat?.recvBitrate ?? 0;
        const bytes = stat?.bytesReceived ?? 0;
        return this.#dryPairs.note(media, pair, bytes, performance.now());
      });
    // A transport that closes meanwhile fails, and counts nothing.
    const [noted] = await Promise.all([
      Promise.allSettled(pairs),
      Promise.allSettled(clients),
    ]);
    const dry = noted.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    if (dry.length > 0) media.context.emit({ kind: "pairs-dry", pairs: dry });
    return { egressBps, ingressBps };
  }

  /** Closes a source that stays over what it was admitted with. */
  #guardBitrate(media: Media, transport: ClientTransport, recvBps: number): void {
    const { maxIncomingKbps = Number.POSITIVE_INFINITY } = transport;
    const { overBitrateFactor, timing } = media.context;
    if (recvBps <= maxIncomingKbps * 1000 * overBitrateFactor) {
      this.#overSinceMs.delete(transport);
      return;
    }
    const nowMs = performance.now();
    const since = this.#overSinceMs.get(transport) ?? nowMs;
    this.#overSinceMs.set(transport, since);
    if (nowMs - since < timing.overBitrateMs) return;
    this.#overSinceMs.delete(transport);
    const kbps = Math.round(recvBps / 1000);
    media.drop(transport, `sent ${kbps} kbit/s, admitted with ${maxIncomingKbps}`);
  }

  /**
   * Gives up a client that sends nothing at all, not even reports. Encoders and
   * players are known by this alone, as not all of them speak ICE once connected.
   */
  #guardSilence(media: Media, transport: ClientTransport, bytes: number): void {
    const nowMs = performance.now();
    const heard = this.#heard.get(transport);
    if (heard?.bytes !== bytes) {
      this.#heard.set(transport, { bytes, atMs: nowMs });
      return;
    }
    const { carrierSilenceMs } = media.context.timing;
    if (transport.webRtc.dtlsState !== "connected") return;
    if (nowMs - heard.atMs < carrierSilenceMs) return;
    media.drop(transport, `nothing came for ${carrierSilenceMs} ms`);
  }
}

function pairUses(media: Media): Map<Pair, number> {
  const uses = new Map<Pair, number>();
  for (const { pair } of [...media.legs.all, ...media.piped.all]) {
    uses.set(pair, (uses.get(pair) ?? 0) + 1);
  }
  return uses;
}
