import type { types } from "mediasoup";
import type { CallOf, Leg } from "#schema/agent/calls.ts";
import type { PipeRef, WorkerRef } from "#schema/agent/instructions.ts";
import type { TrackSource } from "#schema/media.ts";
import { CallError, gone } from "../calls/call-error.ts";
import { pipeKeyOf, type TrackWanted } from "../instructions/generations.ts";
import { type MediaContext, refOf } from "./context.ts";
import { KeyedQueues } from "./keyed-queues.ts";
import type { Pair, Pairs } from "./pairs.ts";
import { setWanted } from "./track-state.ts";
import type { View } from "./views.ts";
import type { WorkerLife } from "./worker-pool.ts";

export type AskedView = CallOf<"watch">["views"][number];

/** A track as it comes out of a pipe. */
export interface PipedTrack {
  trackId: string;
  producer: types.Producer;
  source: TrackSource;
  /** Its leg waits to be told that somebody is ready for it. */
  held: boolean;
}

/** The consumer side of a pipe: one producer per track, on the pair. */
export interface IncomingPipe {
  key: string;
  broadcastId: string;
  producer: WorkerRef;
  consumer: WorkerRef;
  life: WorkerLife;
  generation: number;
  pair: Pair;
  tracks: Map<string, PipedTrack>;
}

/** A view whose pipe is not here: its legs have to be opened first. */
export class NoPipeError extends Error {
  override name = "NoPipeError";
}

/** The consumer side of all pipes that reach this node's workers. */
export class Piped {
  readonly #context: MediaContext;
  readonly #pairs: Pairs;
  readonly #queues = new KeyedQueues();
  readonly #onWanted: (pipes: PipeRef[]) => void;
  readonly #pipes = new Set<IncomingPipe>();

  /** @param onWanted told of pipes whose held legs somebody is ready for */
  constructor(context: MediaContext, pairs: Pairs, onWanted: (pipes: PipeRef[]) => void) {
    this.#context = context;
    this.#pairs = pairs;
    this.#onWanted = onWanted;
  }

  /** All pipes that reach this node at present. */
  get all(): IncomingPipe[] {
    return [...this.#pipes];
  }

  /**
   * The pipe that a view needs, opened or extended by the legs given with it.
   * @throws NoPipeError where it is not open and no legs are given
   * @throws CallError `gone` where its generation is over
   */
  async ensure(life: WorkerLife, asked: AskedView): Promise<IncomingPipe> {
    const key = pipeKeyOf(asked.broadcastId, refOf(this.#context, life));
    return this.#queues.run(key, async () => {
      this.#refuseClosed(key, asked);
      const open = this.#find(key, asked.generation);
      if (!asked.legs) {
        if (open) return open;
        throw new NoPipeError(`The pipe of ${asked.broadcastId} is not open here.`);
      }
      const pipe = open ?? this.#add(key, life, asked);
      try {
        await Promise.all(asked.legs.map((leg) => this.#produceLeg(pipe, leg)));
      } catch (error) {
        // Half a pipe must not be taken for an open one.
        if (!open) this.#close(pipe);
        throw error;
      }
      this.#refuseClosed(key, asked);
      return pipe;
    });
  }

  /** Has held legs started that bring what these views can take by now. */
  want(views: readonly View[]): void {
    const pipes = views.flatMap((view): PipeRef[] => {
      if (view.isHeld) return [];
      const consumer = refOf(this.#context, view.transport.life);
      const pipe = this.#find(pipeKeyOf(view.broadcastId, consumer), view.generation);
      const held = [...(pipe?.tracks.values() ?? [])].filter((track) => track.held);
      if (!pipe || held.length === 0) return [];
      for (const track of held) track.held = false;
      const { broadcastId, producer, generation } = pipe;
      return [{ broadcastId, producer, consumer, generation }];
    });
    if (pipes.length > 0) this.#onWanted(pipes);
  }

  /** Closes a pipe's piped producers of a generation and of all before it. */
  closePipe(key: string, generation: number): void {
    for (const pipe of this.all) {
      if (pipe.key === key && pipe.generation <= generation) this.#close(pipe);
    }
  }

  /** Closes what one pipe brought here. */
  #close(pipe: IncomingPipe): void {
    this.#pipes.delete(pipe);
    for (const { producer } of [...pipe.tracks.values()]) producer.close();
  }

  /** Forgets the pipes of a pair that was closed, and all on it with it. */
  pairClosed(pair: Pair): void {
    for (const pipe of this.all) if (pipe.pair === pair) this.#pipes.delete(pipe);
  }

  /** Closes what all of a broadcast's pipes brought here. */
  closeBroadcast(broadcastId: string): void {
    for (const pipe of this.all) if (pipe.broadcastId === broadcastId) this.#close(pipe);
  }

  /** Brings a track to its wanted state in every pipe that carries it. */
  setTrack(broadcastId: string, trackId: string, wanted: TrackWanted): void {
    for (const pipe of this.all) {
      if (pipe.broadcastId !== broadcastId) continue;
      const track = pipe.tracks.get(trackId);
      if (track) setWanted(track.producer, wanted, this.#context.log);
    }
  }

  #find(key: string, generation: number): IncomingPipe | undefined {
    return this.all.find((pipe) => pipe.key === key && pipe.generation === generation);
  }

  #add(key: string, life: WorkerLife, asked: AskedView): IncomingPipe {
    const { broadcastId, producer, generation } = asked;
    const pair = this.#pairs.find(life, producer);
    if (!pair?.remote) {
      throw new NoPipeError(`No pair leads to worker ${producer.workerId} yet.`);
    }
    const consumer = refOf(this.#context, life);
    const tracks = new Map<string, PipedTrack>();
    const pipe = { key, broadcastId, producer, consumer, life, generation, pair, tracks };
    this.#pipes.add(pipe);
    return pipe;
  }

  async #produceLeg(pipe: IncomingPipe, leg: Leg): Promise<void> {
    const { trackId, kind, source } = leg;
    const { generations, log } = this.#context;
    if (pipe.tracks.has(trackId) || generations.trackWanted(trackId) === "closed") return;
    const producer = await pipe.pair.transport.produce({
      // Ids are unique per mediasoup worker, and the source or an older
      // generation may live on the same one.
      id: `${trackId}.${pipe.generation}`,
      kind,
      rtpParameters: leg.rtpParameters as types.RtpParameters,
      paused: leg.paused,
      // The source delays keyframe requests; doing so again would add up.
      ...(kind === "video" ? { keyFrameRequestDelay: 0 } : undefined),
    });
    if (!this.#pipes.has(pipe)) {
      producer.close();
      return;
    }
    pipe.tracks.set(trackId, { trackId, producer, source, held: leg.held ?? false });
    producer.observer.once("close", () => pipe.tracks.delete(trackId));
    // An instruction may be newer than the paused state that the leg told.
    const wanted = generations.trackWanted(trackId);
    if (wanted) setWanted(producer, wanted, log);
  }

  #refuseClosed(key: string, asked: AskedView): void {
    const { generations } = this.#context;
    const { broadcastId, generation } = asked;
    const outdated =
      generations.isPipeOutdated(key, generation) && !this.#find(key, generation);
    if (outdated || generations.isPipeClosed(key, generation)) {
      throw gone(`Generation ${generation} of the pipe of ${broadcastId}`);
    }
    if (generations.isClosed(broadcastId)) throw gone(`Broadcast ${broadcastId}`);
    const open = this.#find(key, generation);
    if (open && open.producer.incarnation !== asked.producer.incarnation) {
      throw new CallError("failed", "The pipe comes from another life of its producer.");
    }
  }
}
