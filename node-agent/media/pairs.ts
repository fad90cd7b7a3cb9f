import type { types } from "mediasoup";
import type { CallOf, PipeEndpoint } from "#schema/agent/calls.ts";
import type { WorkerRef } from "#schema/agent/instructions.ts";
import { CallError } from "../calls/call-error.ts";
import { type MediaContext, refOf } from "./context.ts";
import { socketBufferBytes } from "./socket-buffers.ts";
import type { WorkerLife } from "./worker-pool.ts";

/** This node's end of the link between one of its workers and another worker. */
export interface Pair {
  own: WorkerLife;
  peer: WorkerRef;
  transport: types.PipeTransport;
  /** Where this end sends to, once it was told. */
  remote?: { ip: string; port: number; connecting: Promise<void> };
  /** Since when no pipe is open on it, in milliseconds of uptime. */
  idleSince: number | undefined;
}

function isIdle(pair: Pair, uses: ReadonlyMap<Pair, number>): boolean {
  return (uses.get(pair) ?? 0) === 0;
}

/**
 * The PipeTransports of this node, one for each pair of worker lives. Both
 * incarnations are in the key because `connect()` works once: a restart on
 * either side makes a new pair.
 */
export class Pairs {
  readonly #context: MediaContext;
  readonly #onClosed: (pair: Pair) => void;
  readonly #pairs = new Map<string, Promise<Pair>>();
  readonly #open = new Map<string, Pair>();

  /** @param onClosed told once about each pair that closed */
  constructor(context: MediaContext, onClosed: (pair: Pair) => void) {
    this.#context = context;
    this.#onClosed = onClosed;
  }

  /** All pairs that are open now. */
  get all(): Pair[] {
    return [...this.#open.values()];
  }

  /** The open pair between a worker and its peer, if there is one. */
  find(own: WorkerLife, peer: WorkerRef): Pair | undefined {
    return this.#open.get(this.#keyOf(own, peer));
  }

  /** Makes the pair's PipeTransport, or returns the one that is there. */
  async ensure(own: WorkerLife, peer: WorkerRef): Promise<Pair> {
    const key = this.#keyOf(own, peer);
    let pair = this.#pairs.get(key);
    if (!pair) {
      pair = this.#create(key, own, peer);
      this.#pairs.set(key, pair);
      pair.catch(() => this.#pairs.delete(key));
    }
    return pair;
  }

  /**
   * Tells a pair where its far end listens. Doing so twice is harmless.
   * @throws CallError `invalid` where it already sends elsewhere
   */
  async connect(pair: Pair, endpoint: PipeEndpoint): Promise<void> {
    const { ip, port } = endpoint;
    if (pair.remote) {
      if (pair.remote.ip !== ip || pair.remote.port !== port) {
        throw new CallError("invalid", "The pair is connected to another endpoint.");
      }
      return pair.remote.connecting;
    }
    const srtpParameters = endpoint.srtpParameters as types.SrtpParameters | undefined;
    const connecting = pair.transport.connect({ ip, port, srtpParameters });
    pair.remote = { ip, port, connecting };
    try {
      await connecting;
    } catch (error) {
      pair.remote = undefined;
      throw error;
    }
  }

  /** Connects several; what needs one that fails finds that it has no pipe. */
  async connectAll(own: WorkerLife, asked: CallOf<"watch">["pairs"]): Promise<void> {
    await Promise.all(
      asked.map(async ({ peer, remote }) => {
        try {
          await this.connect(await this.ensure(own, peer), remote);
        } catch (error) {
          this.#context.log.error({ peer, err: error }, "pair did not connect");
        }
      }),
    );
  }

  /** Where this end listens and with which keys it sends. Holds secrets. */
  endpointOf(pair: Pair): PipeEndpoint {
    return {
      ip: this.#context.config.pipeAddress,
      port: pair.transport.tuple.localPort,
      srtpParameters: pair.transport.srtpParameters,
    };
  }

  /**
   * Closes pairs that lead to a life which is over. A pair is kept while idle;
   * it goes only where the same peer worker has a busy pair in another life.
   * @param uses open pipes on each pair
   * @param nowMs milliseconds of uptime
   */
  sweep(uses: ReadonlyMap<Pair, number>, nowMs: number): void {
    for (const pair of this.all) {
      if (!isIdle(pair, uses)) {
        pair.idleSince = undefined;
        continue;
      }
      pair.idleSince ??= nowMs;
      if (nowMs - pair.idleSince < this.#context.timing.idlePairMs) continue;
      const succeeded = this.all.some(
        (other) =>
          other.own === pair.own &&
          other.peer.workerId === pair.peer.workerId &&
          other !== pair &&
          !isIdle(other, uses),
      );
      if (succeeded) pair.transport.close();
    }
  }

  /** Closes all pairs, and with them what lives on them. */
  close(): void {
    for (const pair of this.all) pair.transport.close();
  }

  #keyOf(own: WorkerLife, peer: WorkerRef): string {
    const ref = refOf(this.#context, own);
    return `${ref.workerId}@${ref.incarnation}|${peer.workerId}@${peer.incarnation}`;
  }

  async #create(key: string, own: WorkerLife, peer: WorkerRef): Promise<Pair> {
    const { pipeListenIp, pipeAddress, pipePorts } = this.#context.config;
    const transport = await own.router.createPipeTransport({
      listenInfo: {
        protocol: "udp",
        ip: pipeListenIp,
        announcedAddress: pipeAddress,
        portRange: pipePorts,
        sendBufferSize: socketBufferBytes,
        recvBufferSize: socketBufferBytes,
      },
      enableSrtp: true,
      enableRtx: true,
    });
    const pair: Pair = { own, peer, transport, idleSince: undefined };
    this.#open.set(key, pair);
    transport.observer.once("close", () => {
      this.#open.delete(key);
      this.#pairs.delete(key);
      this.#onClosed(pair);
    });
    return pair;
  }
}
