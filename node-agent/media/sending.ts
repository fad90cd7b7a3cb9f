import type { types } from "mediasoup";
import type { CallResult } from "#schema/agent/call-results.ts";
import type { CallOf } from "#schema/agent/calls.ts";
import type { WorkerRef } from "#schema/agent/instructions.ts";
import type { TrackSource } from "#schema/media.ts";
import { CallError, gone, takingParameters } from "../calls/call-error.ts";
import type { TrackWanted } from "../instructions/generations.ts";
import { findLife, type MediaContext } from "./context.ts";
import { KeyedQueues } from "./keyed-queues.ts";
import { Speakers } from "./speakers.ts";
import { setWanted } from "./track-state.ts";
import type { ClientTransport, Transports } from "./transports.ts";

/**
 * One track of a broadcast. Its producer's id names the transport too: a moving
 * broadcast's tracks may come twice to one worker, whose producer ids are unique.
 */
export interface SentTrack {
  producer: types.Producer;
  source: TrackSource;
}

/** A broadcast as this node receives it from its broadcaster. */
export interface Broadcast {
  broadcastId: string;
  transport: ClientTransport;
  tracks: Map<string, SentTrack>;
}

/** The broadcaster side: sending transports and their producers. */
export class Sending {
  readonly #context: MediaContext;
  readonly #transports: Transports;
  readonly #queues = new KeyedQueues();
  readonly #speakers: Speakers;
  /** By transport, oldest first: a moving broadcast is sent through two for a while. */
  readonly #broadcasts = new Map<ClientTransport, Broadcast>();

  constructor(context: MediaContext, transports: Transports) {
    this.#context = context;
    this.#transports = transports;
    this.#speakers = new Speakers(context);
  }

  /** All broadcasts that this node receives at present. */
  get all(): Broadcast[] {
    return [...this.#broadcasts.values()];
  }

  /** A broadcast on the worker's life that is named, as it was last sent there. */
  find(broadcastId: string, producer: WorkerRef): Broadcast | undefined {
    const life = findLife(this.#context, producer);
    return this.all.findLast(
      (broadcast) =>
        broadcast.broadcastId === broadcastId &&
        broadcast.transport.life.router === life.router,
    );
  }

  /**
   * Makes a broadcast's sending transport, or returns the one that is there.
   * @param carries whether the session is there by this transport alone
   * @throws CallError `gone` where its session or broadcast was closed
   */
  async openTransport(
    call: CallOf<"open-send-transport">,
    carries = false,
  ): Promise<CallResult<"open-send-transport">> {
    const { broadcastId, sessionId, roomId, transportId: id, maxIncomingKbps } = call;
    const life = findLife(this.#context, call.worker);
    this.#refuseClosed(sessionId, broadcastId);
    const owner = { roomId, sessionId, broadcastId };
    const plan = {
      id,
      direction: "send" as const,
      life,
      maxIncomingKbps,
      carries,
      ...owner,
    };
    const { transport, isNew } = await this.#transports.open(plan);
    if (isNew) await this.#adopt(transport, broadcastId, maxIncomingKbps);
    if (call.dtlsParameters) {
      await this.#transports.connect(transport, call.dtlsParameters);
    }
    return { transport: this.#transports.parametersOf(transport) };
  }

  /**
   * Makes a track's producer; doing so twice is harmless.
   * @throws CallError `gone` where the transport or track is, `invalid` where
   *   the transport is another session's or broadcast's
   */
  async produce(call: CallOf<"produce">): Promise<CallResult<"produce">> {
    const transport = this.#transports.get(call.transportId, call.sessionId);
    const { broadcastId, trackId } = call;
    const broadcast = this.#broadcasts.get(transport);
    if (broadcast?.broadcastId !== broadcastId) {
      throw new CallError(
        "invalid",
        `Transport ${transport.id} is not ${broadcastId}'s.`,
      );
    }
    await this.#queues.run(`${transport.id} ${trackId}`, async () => {
      if (broadcast.tracks.has(trackId)) return;
      await this.#makeTrack(broadcast, call);
    });
    return {};
  }

  /** Brings a track's producer to its wanted state. */
  setTrack(broadcastId: string, trackId: string, wanted: TrackWanted): void {
    for (const broadcast of this.all) {
      if (broadcast.broadcastId !== broadcastId) continue;
      const track = broadcast.tracks.get(trackId);
      if (track) setWanted(track.producer, wanted, this.#context.log);
    }
  }

  /** Closes a broadcast's transports and producers, unreported. */
  closeBroadcast(broadcastId: string): void {
    for (const { broadcastId: id, transport } of this.all) {
      if (id === broadcastId) transport.webRtc.close();
    }
  }

  /** Forgets the broadcast of a transport that was closed. */
  transportClosed(transport: ClientTransport): void {
    this.#broadcasts.delete(transport);
  }

  /** Whether its broadcast is sent to this node through a newer transport too. */
  isSuperseded(transport: ClientTransport): boolean {
    const { broadcastId } = transport;
    if (!broadcastId) return false;
    const newest = this.all.findLast((one) => one.broadcastId === broadcastId);
    return newest !== undefined && newest.transport !== transport;
  }

  async #adopt(transport: ClientTransport, broadcastId: string, maxIncomingKbps: number) {
    if (this.#context.generations.isClosed(broadcastId)) {
      transport.webRtc.close();
      throw gone(`Broadcast ${broadcastId}`);
    }
    // One that is there already goes on: control says when it is not needed any more.
    this.#broadcasts.set(transport, { broadcastId, transport, tracks: new Map() });
    await transport.webRtc.setMaxIncomingBitrate(maxIncomingKbps * 1000);
  }

  async #makeTrack(broadcast: Broadcast, call: CallOf<"produce">): Promise<void> {
    const { trackId, kind, source, broadcastId, sessionId } = call;
    const { generations, config, log } = this.#context;
    this.#refuseClosed(sessionId, broadcastId);
    if (generations.trackWanted(trackId) === "closed") throw gone(`Track ${trackId}`);
    const { webRtc } = broadcast.transport;
    const options = {
      id: `${trackId}@${broadcast.transport.id}`,
      kind,
      rtpParameters: call.rtpParameters as types.RtpParameters,
      paused: call.paused,
      // Many viewers joining at once must not make a broadcaster send nothing
      // but keyframes.
      ...(kind === "video"
        ? { keyFrameRequestDelay: config.keyFrameRequestDelayMs }
        : undefined),
    };
    const producer = await takingParameters(webRtc, () => webRtc.produce(options));
    broadcast.tracks.set(trackId, { producer, source });
    producer.observer.once("close", () => broadcast.tracks.delete(trackId));
    if (kind === "audio") {
      const { life, roomId } = broadcast.transport;
      void this.#speakers.add(life, roomId, broadcastId, producer);
    }
    // An instruction may have come while the producer was being made.
    const wanted = generations.trackWanted(trackId);
    if (wanted) setWanted(producer, wanted, log);
  }

  #refuseClosed(sessionId: string, broadcastId: string): void {
    const { generations } = this.#context;
    if (generations.isClosed(sessionId)) throw gone(`Session ${sessionId}`);
    if (generations.isClosed(broadcastId)) throw gone(`Broadcast ${broadcastId}`);
  }
}
