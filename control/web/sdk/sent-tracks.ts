import type { types } from "mediasoup-client";
import type { z } from "zod";
import type { createdBroadcast } from "#schema/api/media.ts";
import type { MediaKindWire, TrackSource } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";
import { producerOptions, type SendShape } from "./encodings.ts";
import { WeirError } from "./errors.ts";
import type { Link } from "./link.ts";

interface Sent {
  producer: types.Producer;
  trackId: string;
}

/** A track that the server is being told of. */
interface Announced {
  trackId: Promise<string>;
  paused: boolean;
}

/** The tracks of one broadcast on its sending transport: at most one of each kind. */
export class SentTracks {
  readonly broadcastId: string;
  readonly transportId: string;
  /** The worker that takes them in. */
  readonly workerId: string;
  readonly #link: Link;
  readonly #shape: SendShape;
  readonly #isMuted: (kind: MediaKindWire) => boolean;
  readonly #transport: types.Transport;
  readonly #sent = new Map<MediaKindWire, Sent>();
  #topLayer: number | undefined;
  readonly #announced = new Map<MediaKindWire, Announced>();
  readonly #known: ReadonlyMap<MediaKindWire, string>;
  #closed = false;

  /**
   * @param created what the server answered to the claim, or to its resumption
   * @param isMuted asked when a track is announced, and again when it is there
   * @param known ids of tracks that the broadcast has already, by kind
   */
  constructor(
    link: Link,
    created: z.infer<typeof createdBroadcast>,
    shape: Omit<SendShape, "maxKbps">,
    isMuted: (kind: MediaKindWire) => boolean,
    known: ReadonlyMap<MediaKindWire, string> = new Map(),
  ) {
    this.#known = known;
    this.broadcastId = created.id;
    this.transportId = created.transport.id;
    this.workerId = created.workerId;
    this.#link = link;
    this.#shape = { ...shape, maxKbps: created.maxKbps };
    this.#isMuted = isMuted;
    this.#transport = link.transports.addSending(
      created.transport,
      (produced, callback) => {
        const { kind } = produced;
        this.#announced.set(kind, this.#announce(produced));
        // Called back at once: the next track does not wait for this one's answer.
        callback({ id: `${created.id}/${kind}` });
      },
    );
  }

  /** The producer of a kind, if it is sent. */
  producer(kind: MediaKindWire): types.Producer | undefined {
    return this.#closed ? undefined : this.#sent.get(kind)?.producer;
  }

  /** The layer up to which a picture is sent; undefined where all are. */
  get topLayer(): number | undefined {
    return this.#topLayer;
  }

  /** Whether its transport is gone. */
  get isGone(): boolean {
    return this.#transport.closed;
  }

  /** The ids of its tracks at the server, by kind; they outlast its end here. */
  get trackIds(): ReadonlyMap<MediaKindWire, string> {
    const sent = [...this.#sent].map(([kind, { trackId }]) => [kind, trackId] as const);
    return new Map([...this.#known, ...sent]);
  }

  /**
   * Sends a track.
   * @throws WeirError why the server does not take it
   */
  async add(track: MediaStreamTrack): Promise<void> {
    const options = producerOptions(track, this.#shape, this.#link.sendingCapabilities);
    const producer = await this.#transport.produce(options);
    this.#link.transports.follow(this.#transport, producer.rtpSender?.transport);
    const { kind } = producer;
    const announced = this.#announced.get(kind);
    if (!announced) throw new WeirError("internal", `No ${kind} was announced.`);
    if (announced.paused) producer.pause();
    try {
      this.#sent.set(kind, { producer, trackId: await announced.trackId });
    } catch (error) {
      producer.close();
      throw error;
    }
    // It may have been muted or unmuted while the server was told of it.
    const muted = this.#isMuted(kind);
    if (muted !== announced.paused) await this.pause(kind, muted);
    if (kind === "video" && this.#topLayer !== undefined) {
      await this.limitLayers(this.#topLayer);
    }
  }

  /**
   * Stops or goes on sending a kind: here at once, whether or not the server can
   * be told.
   * @throws WeirError where it cannot be told
   */
  async pause(kind: MediaKindWire, paused: boolean): Promise<void> {
    const sent = this.#sent.get(kind);
    if (!sent) return;
    this.hush(kind, paused);
    if (this.#link.closed) return;
    const { trackId } = sent;
    await this.#link.run((api) => api.pauseTrack(this.broadcastId, trackId, paused));
  }

  /**
   * Sends a picture's layers up to this one: nobody watches those above.
   * @param spatialLayer below 0 for none; the smallest is sent all the same, so
   *   that whoever comes sees something at once
   */
  async limitLayers(spatialLayer: number): Promise<void> {
    this.#topLayer = Math.max(0, spatialLayer);
    const producer = this.#sent.get("video")?.producer;
    const count = producer?.rtpParameters.encodings?.length ?? 0;
    if (!producer || producer.closed || count < 2) return;
    await producer.setMaxSpatialLayer(Math.min(this.#topLayer, count - 1));
  }

  /** Stops or goes on sending a kind, and tells nobody. */
  hush(kind: MediaKindWire, hushed: boolean): void {
    const producer = this.producer(kind);
    if (hushed) producer?.pause();
    else producer?.resume();
  }

  /**
   * Brings what is sent in line with these tracks and with what is muted, either
   * of which may have changed.
   * @throws WeirError why the server does not take one
   */
  async follow(tracks: MediaStreamTrack[]): Promise<void> {
    for (const track of tracks) {
      const producer = this.producer(track.kind as MediaKindWire);
      if (!producer) await this.add(track);
      else if (producer.track !== track) await producer.replaceTrack({ track });
    }
    for (const kind of [...this.#sent.keys()]) {
      if (!tracks.some((track) => track.kind === kind)) await this.remove(kind);
      else this.hush(kind, this.#isMuted(kind));
    }
  }

  /** Ends a kind. @throws WeirError where the server cannot be told */
  async remove(kind: MediaKindWire): Promise<void> {
    const sent = this.#sent.get(kind);
    if (!sent) return;
    this.#sent.delete(kind);
    sent.producer.close();
    if (this.#link.closed) return;
    const { trackId } = sent;
    await this.#link.run((api) => api.removeTrack(this.broadcastId, trackId));
  }

  /** Ends all of them, here. */
  close(): void {
    this.#closed = true;
    this.#link.transports.drop(this.transportId);
  }

  #announce({
    kind,
    rtpParameters,
  }: Pick<types.Producer, "kind" | "rtpParameters">): Announced {
    const source = sourceOf(this.#shape.media, kind);
    const paused = this.#isMuted(kind);
    const known = this.#known.get(kind);
    const answer = this.#link.run((api) =>
      known
        ? api.resumeTrack(this.broadcastId, known, { rtpParameters, paused })
        : api.createTrack(this.broadcastId, { kind, source, rtpParameters, paused }),
    );
    const trackId = answer.then(({ id }) => id);
    // Awaited by `add`; marked as handled, as another track may fail before.
    trackId.catch(() => {});
    return { trackId, paused };
  }
}

function sourceOf(media: MediaClass, kind: MediaKindWire): TrackSource {
  if (media === "screen") return kind === "video" ? "screen" : "screen-audio";
  return kind === "video" ? "camera" : "microphone";
}
