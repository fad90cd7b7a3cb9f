import type { types } from "mediasoup";
import type { CallResult } from "#schema/agent/call-results.ts";
import type { CallOf, Leg } from "#schema/agent/calls.ts";
import type { PipeRef, WorkerRef } from "#schema/agent/instructions.ts";
import { CallError, gone } from "../calls/call-error.ts";
import { pipeKeyOf } from "../instructions/generations.ts";
import { findLife, type MediaContext } from "./context.ts";
import { makeLeg } from "./held-legs.ts";
import { KeyedQueues } from "./keyed-queues.ts";
import type { Pair, Pairs } from "./pairs.ts";
import type { Broadcast, Sending, SentTrack } from "./sending.ts";

type AskedPipe = CallOf<"open-legs">["pipes"][number];
type OpenedPipe = CallResult<"open-legs">["pipes"][number];

/** The producer side of a pipe: one consumer per track, on the pair. */
export interface OutgoingPipe {
  key: string;
  broadcastId: string;
  producer: WorkerRef;
  consumer: WorkerRef;
  generation: number;
  pair: Pair;
  legs: Map<string, types.Consumer>;
}

/** The producer side of all pipes that leave this node's workers. */
export class Legs {
  readonly #context: MediaContext;
  readonly #pairs: Pairs;
  readonly #sending: Sending;
  readonly #queues = new KeyedQueues();
  readonly #pipes = new Set<OutgoingPipe>();

  constructor(context: MediaContext, pairs: Pairs, sending: Sending) {
    this.#context = context;
    this.#pairs = pairs;
    this.#sending = sending;
  }

  /** All pipes that leave this node at present. */
  get all(): OutgoingPipe[] {
    return [...this.#pipes];
  }

  /**
   * Opens pipes, or extends those that are open by tracks that came since. One
   * that fails does not fail the others.
   * @throws CallError `gone` where all of them are
   */
  async open(call: CallOf<"open-legs">): Promise<CallResult<"open-legs">> {
    let refused: CallError | undefined;
    let goneCount = 0;
    const pipes = await Promise.all(
      call.pipes.map(async (asked): Promise<OpenedPipe> => {
        const { broadcastId } = asked;
        const key = pipeKeyOf(broadcastId, asked.consumer);
        try {
          return await this.#queues.run(key, () => this.#openPipe(key, asked));
        } catch (error) {
          if (error instanceof CallError && error.code === "gone") {
            refused = error;
            goneCount += 1;
          } else {
            this.#context.log.error({ broadcastId, err: error }, "legs did not open");
          }
          return { status: "failed", broadcastId, reason: (error as Error).message };
        }
      }),
    );
    if (refused && goneCount === pipes.length) throw refused;
    return { pipes };
  }

  /** Lets the held legs of pipes go; those that run or are gone are passed over. */
  start(pipes: readonly PipeRef[]): void {
    for (const { broadcastId, consumer, generation } of pipes) {
      const pipe = this.#find(pipeKeyOf(broadcastId, consumer), generation);
      for (const leg of pipe?.legs.values() ?? []) this.#resume(leg);
    }
  }

  /** Closes a pipe's legs of a generation and of all before it. */
  closePipe(key: string, generation: number): void {
    for (const pipe of this.all) {
      if (pipe.key === key && pipe.generation <= generation) this.#close(pipe);
    }
  }

  /** Closes one pipe's legs. */
  #close(pipe: OutgoingPipe): void {
    this.#pipes.delete(pipe);
    for (const consumer of [...pipe.legs.values()]) consumer.close();
  }

  /** Forgets the pipes of a pair that was closed, and all on it with it. */
  pairClosed(pair: Pair): void {
    for (const pipe of this.all) if (pipe.pair === pair) this.#pipes.delete(pipe);
  }

  /** Closes the legs of all of a broadcast's pipes. */
  closeBroadcast(broadcastId: string): void {
    for (const pipe of this.all) if (pipe.broadcastId === broadcastId) this.#close(pipe);
  }

  async #openPipe(key: string, asked: AskedPipe): Promise<OpenedPipe> {
    const { broadcastId, generation } = asked;
    const life = findLife(this.#context, asked.producer);
    this.#refuseClosed(key, asked);
    const pair = await this.#pairs.ensure(life, asked.consumer);
    const broadcast = this.#sending.find(broadcastId, asked.producer);
    if (!broadcast) throw gone(`Broadcast ${broadcastId}`);
    // The pipe may have been closed while its pair was made.
    this.#refuseClosed(key, asked);
    const pipe = this.#find(key, generation) ?? this.#add(key, asked, pair);
    const legs = await this.#extend(pipe, broadcast);
    this.#refuseClosed(key, asked);
    return { status: "open", broadcastId, legs, endpoint: this.#pairs.endpointOf(pair) };
  }

  #find(key: string, generation: number): OutgoingPipe | undefined {
    return this.all.find((pipe) => pipe.key === key && pipe.generation === generation);
  }

  #add(key: string, asked: AskedPipe, pair: Pair): OutgoingPipe {
    const pipe: OutgoingPipe = { ...asked, key, pair, legs: new Map() };
    this.#pipes.add(pipe);
    return pipe;
  }

  async #extend(pipe: OutgoingPipe, broadcast: Broadcast): Promise<Leg[]> {
    const tracks = [...broadcast.tracks.entries()];
    await Promise.all(
      tracks.map(async ([trackId, track]) => {
        if (!pipe.legs.has(trackId)) await this.#makeLeg(pipe, trackId, track);
      }),
    );
    return tracks.flatMap(([trackId, { producer, source }]) => {
      const consumer = pipe.legs.get(trackId);
      if (!consumer) return [];
      const { kind, rtpParameters } = consumer;
      // Read last: the track may have been muted while its leg was made.
      const held = consumer.paused;
      return [{ trackId, kind, source, rtpParameters, paused: producer.paused, held }];
    });
  }

  async #makeLeg(pipe: OutgoingPipe, trackId: string, track: SentTrack): Promise<void> {
    let consumer: types.Consumer;
    try {
      const { transport, own } = pipe.pair;
      consumer = await makeLeg(transport, own.router, track.producer);
    } catch (error) {
      // A track that ended meanwhile needs no leg.
      if (track.producer.closed) return;
      throw error;
    }
    if (!this.#pipes.has(pipe)) {
      consumer.close();
      return;
    }
    pipe.legs.set(trackId, consumer);
    // Whoever was to say that it is wanted may have failed to.
    const patience = setTimeout(
      () => this.#resume(consumer),
      this.#context.timing.legHoldMs,
    );
    consumer.observer.once("resume", () => clearTimeout(patience));
    consumer.observer.once("close", () => {
      clearTimeout(patience);
      pipe.legs.delete(trackId);
    });
  }

  #resume(leg: types.Consumer): void {
    if (!leg.paused || leg.closed) return;
    leg.resume().catch((error: unknown) => {
      if (!leg.closed) this.#context.log.error({ err: error }, "leg did not start");
    });
  }

  #refuseClosed(key: string, asked: AskedPipe): void {
    const { generations } = this.#context;
    const { broadcastId, generation } = asked;
    const outdated =
      generations.isPipeOutdated(key, generation) && !this.#find(key, generation);
    if (outdated || generations.isPipeClosed(key, generation)) {
      throw gone(`Generation ${generation} of the pipe of ${broadcastId}`);
    }
    if (generations.isClosed(broadcastId)) throw gone(`Broadcast ${broadcastId}`);
  }
}
