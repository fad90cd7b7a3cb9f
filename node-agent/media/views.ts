import type { types } from "mediasoup";
import type { ConsumerParametersWire } from "#schema/agent/call-results.ts";
import type { NodeEvent } from "#schema/agent/control.ts";
import type { MediaKindWire, TrackSource } from "#schema/media.ts";
import type { IncomingPipe, PipedTrack } from "./piped.ts";
import { watchQuality } from "./quality.ts";
import type { ClientTransport } from "./transports.ts";

/** One consumer of a view. */
export interface ViewConsumer {
  consumer: types.Consumer;
  trackId: string;
  source: TrackSource;
  generation: number;
  /** Waits for `resume-views`: it was made on a transport that was there. */
  held: boolean;
}

/** How a view wants to be served; absent fields are left to mediasoup. */
export interface ViewWishes {
  kinds: MediaKindWire[];
  paused: boolean;
  /** Kinds that are held back while the others play. */
  pausedKinds: MediaKindWire[];
  preferredLayers?: types.ConsumerLayers;
  priority?: number;
}

/** One session watching one broadcast on one of its receiving transports. */
export class View {
  readonly viewId: string;
  readonly broadcastId: string;
  readonly transport: ClientTransport;
  readonly consumers = new Map<string, ViewConsumer>();
  wishes: ViewWishes;
  generation = 0;
  /** Whether its consumers were made. */
  ready = false;
  /** Whether control was told that its media is connected. */
  reportedActive = false;
  closed = false;
  readonly #emit: (event: NodeEvent) => void;

  constructor(
    viewId: string,
    broadcastId: string,
    transport: ClientTransport,
    wishes: ViewWishes,
    emit: (event: NodeEvent) => void,
  ) {
    this.viewId = viewId;
    this.broadcastId = broadcastId;
    this.transport = transport;
    this.wishes = wishes;
    this.#emit = emit;
  }

  /** Whether a picture of it is shown, or will be in a moment. */
  get seesPicture(): boolean {
    if (this.closed || this.#isPaused("video")) return false;
    return [...this.consumers.values()].some(({ consumer }) => consumer.kind === "video");
  }

  /**
   * Consumes the tracks of a pipe that the view has no consumer for yet.
   * @param hold whether they wait, paused, for `resume-views`
   * @returns false where there were tracks and the client can decode none
   */
  async consume(
    pipe: IncomingPipe,
    rtpCapabilities: types.RtpCapabilities,
    hold: boolean,
  ): Promise<boolean> {
    const { life, router = life.router } = this.transport;
    const wanted = [...pipe.tracks.values()].filter((track) =>
      this.wishes.kinds.includes(track.producer.kind),
    );
    const decodable = wanted.filter(({ producer }) =>
      router.canConsume({ producerId: producer.id, rtpCapabilities }),
    );
    if (wanted.length > 0 && decodable.length === 0) return false;
    this.generation = Math.max(this.generation, pipe.generation);
    const missing = decodable.filter(({ producer }) => !this.consumers.has(producer.id));
    await Promise.all(
      missing.map((track) =>
        this.#consumeTrack(track, pipe.generation, rtpCapabilities, hold),
      ),
    );
    return true;
  }

  /** Whether any of its consumers waits for `resume-views`. */
  get isHeld(): boolean {
    return [...this.consumers.values()].some(({ held }) => held);
  }

  /** The consumers of the view's newest generation, as its client takes them. */
  describe(): ConsumerParametersWire[] {
    const newest = [...this.consumers.values()].filter(
      ({ generation }) => generation === this.generation,
    );
    return newest.map(({ consumer, trackId, source, held }) => ({
      id: consumer.id,
      trackId,
      kind: consumer.kind,
      source,
      rtpParameters: consumer.rtpParameters,
      producerPaused: consumer.producerPaused,
      paused: held,
    }));
  }

  /** Lets consumers go that waited for their client to be ready. */
  async resume(): Promise<void> {
    for (const entry of this.consumers.values()) entry.held = false;
    await this.#applyPaused();
  }

  /** Changes wishes; fields that are absent stay as they are. */
  async update(changes: Partial<ViewWishes>): Promise<void> {
    const { paused, pausedKinds, preferredLayers, priority } = changes;
    if (paused !== undefined) this.wishes.paused = paused;
    if (pausedKinds) this.wishes.pausedKinds = pausedKinds;
    if (paused !== undefined || pausedKinds) await this.#applyPaused();
    if (preferredLayers) this.wishes.preferredLayers = preferredLayers;
    if (priority !== undefined) this.wishes.priority = priority;
    await Promise.all(
      [...this.consumers.values()].map(async ({ consumer }) => {
        if (priority !== undefined) await consumer.setPriority(priority);
        const layered = consumer.type === "simulcast" || consumer.type === "svc";
        if (preferredLayers && layered)
          await consumer.setPreferredLayers(preferredLayers);
      }),
    );
  }

  /** Closes the consumers; those still being made close when they are. */
  close(): void {
    this.closed = true;
    for (const { consumer } of [...this.consumers.values()]) consumer.close();
  }

  async #consumeTrack(
    track: PipedTrack,
    generation: number,
    rtpCapabilities: types.RtpCapabilities,
    hold: boolean,
  ): Promise<void> {
    const { producer, trackId, source } = track;
    const { preferredLayers, priority } = this.wishes;
    let consumer: types.Consumer;
    try {
      consumer = await this.transport.webRtc.consume({
        producerId: producer.id,
        rtpCapabilities,
        paused: hold || this.#isPaused(producer.kind),
        ...(producer.kind === "video" && preferredLayers
          ? { preferredLayers }
          : undefined),
      });
    } catch (error) {
      // A track that ended meanwhile is no failure of the view.
      if (producer.closed && !this.transport.webRtc.closed) return;
      throw error;
    }
    if (this.closed) {
      consumer.close();
      return;
    }
    this.consumers.set(producer.id, {
      consumer,
      trackId,
      source,
      generation,
      held: hold,
    });
    consumer.observer.once("close", () => this.consumers.delete(producer.id));
    const { roomId, sessionId } = this.transport;
    watchQuality(consumer, { roomId, sessionId, viewId: this.viewId }, this.#emit);
    if (priority !== undefined) await consumer.setPriority(priority);
  }

  #isPaused(kind: MediaKindWire): boolean {
    return this.wishes.paused || this.wishes.pausedKinds.includes(kind);
  }

  async #applyPaused(): Promise<void> {
    await Promise.all(
      [...this.consumers.values()].map(async ({ consumer, held }) => {
        const pause = held || this.#isPaused(consumer.kind);
        await (pause ? consumer.pause() : consumer.resume());
      }),
    );
  }
}
