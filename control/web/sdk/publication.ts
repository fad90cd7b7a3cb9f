import type { types } from "mediasoup-client";
import type { MediaKindWire, TrackSource } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";
import { backoffMs } from "./backoff.ts";
import { screenEncoding, simulcastEncodings, singleEncoding } from "./capture.ts";
import { asWeirError, isPassing, type WeirError, type WeirErrorCode } from "./errors.ts";
import type { Link } from "./link.ts";

/** `starting`, `live`, `interrupted` (comes back by itself), `failed`, `stopped`. */
export type PublicationState = "starting" | "live" | "interrupted" | "failed" | "stopped";

export interface PublicationOptions {
  media: MediaClass;
  stream: MediaStream;
  /** Three layers for a camera's video; true by default. */
  simulcast?: boolean;
}

// The old broadcast may count until the server has noticed its end, and a session
// that is lost is followed by another.
const passesOnReturn: ReadonlySet<WeirErrorCode> = new Set<WeirErrorCode>([
  "already-broadcasting",
  "unauthenticated",
  "not-found",
]);

interface Published {
  producer: types.Producer;
  trackId: string;
}

/** One broadcast of this session, from its stream to the producer worker. */
export class Publication {
  readonly media: MediaClass;
  readonly stream: MediaStream;
  readonly simulcast: boolean;
  broadcastId: string | undefined;
  /** Why it failed or was interrupted. */
  error: WeirError | undefined;
  readonly #changed: (publication: Publication) => void;
  readonly #published = new Map<MediaKindWire, Published>();
  readonly #muted = new Set<MediaKindWire>();
  #link: Link | undefined;
  #transportId: string | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  #state: PublicationState = "starting";

  constructor(options: PublicationOptions, changed: (publication: Publication) => void) {
    this.media = options.media;
    this.stream = options.stream;
    this.simulcast = options.simulcast ?? true;
    this.#changed = changed;
  }

  get state(): PublicationState {
    return this.#state;
  }

  /** Whether a kind is muted (its track is sent to nobody, and not sent at all). */
  isMuted(kind: MediaKindWire): boolean {
    return this.#muted.has(kind);
  }

  /**
   * @internal Claims a producer place and sends the stream's tracks.
   * @throws WeirError why it cannot
   */
  async start(link: Link): Promise<void> {
    this.#clear();
    this.#link = link;
    try {
      await this.#publish(link);
    } catch (error) {
      // What was half made is given back: its place may be another's.
      this.#giveBack(link);
      throw asWeirError(error);
    }
    if (this.#state === "stopped" || link.closed) return this.#giveBack(link);
    this.#attempts = 0;
    this.#become("live");
  }

  /** @internal Starts again after a loss, and once more where that fails. */
  async restart(link: Link): Promise<void> {
    if (this.#state === "stopped" || this.#state === "failed") return;
    this.#become("interrupted");
    try {
      await this.start(link);
    } catch (error) {
      const problem = asWeirError(error);
      if (link.closed) return;
      if (!isPassing(problem.code) && !passesOnReturn.has(problem.code))
        return this.#become("failed", problem);
      const waitMs = Math.max(
        backoffMs(this.#attempts++, 1000),
        problem.retryAfterMs ?? 0,
      );
      this.#become("interrupted", problem);
      this.#retry = setTimeout(() => void this.restart(link), waitMs);
    }
  }

  /** @internal Its transport is gone: starts again on another. */
  transportGone(link: Link, transportId: string): void {
    if (transportId !== this.#transportId) return;
    this.#giveBack(link);
    void this.restart(link);
  }

  /**
   * The browser's numbers for a kind's sender; empty where it is not sent.
   * @param kind which of the two tracks
   */
  async getStats(kind: MediaKindWire): Promise<RTCStatsReport> {
    return (await this.#published.get(kind)?.producer.getStats()) ?? new Map();
  }

  mute(kind: MediaKindWire): Promise<void> {
    return this.#pause(kind, true);
  }

  unmute(kind: MediaKindWire): Promise<void> {
    return this.#pause(kind, false);
  }

  /**
   * Sends another track of the same kind from now on.
   * @throws Error where no track of this kind is sent
   */
  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    const published = this.#published.get(track.kind as MediaKindWire);
    if (!published) throw new Error(`No ${track.kind} is being sent.`);
    const old = published.producer.track;
    await published.producer.replaceTrack({ track });
    if (old) this.stream.removeTrack(old);
    this.stream.addTrack(track);
    this.#changed(this);
  }

  /** Stops the broadcast and its devices. */
  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    const { broadcastId } = this;
    const link = this.#link;
    this.#clear();
    for (const track of this.stream.getTracks()) track.stop();
    this.#become("stopped");
    if (broadcastId && link && !link.closed) {
      await link.run((api) => api.stopBroadcast(broadcastId)).catch(() => {});
    }
  }

  async #publish(link: Link): Promise<void> {
    // Asked first: it throws where the zone has no media host.
    void link.rtpCapabilities;
    const { dtlsParameters } = link.identification;
    const claim = { media: this.media, dtlsParameters };
    const created = await link.runOwn((api) => api.createBroadcast(claim));
    this.broadcastId = created.id;
    this.#transportId = created.transport.id;
    const asked = new Map<MediaKindWire, Promise<string>>();
    const transport = link.transports.addSending(
      created.transport,
      (produced, callback) => {
        const { kind, rtpParameters } = produced;
        const source = sourceOf(this.media, kind);
        const body = { kind, source, rtpParameters, paused: this.#muted.has(kind) };
        const answer = link.run((api) => api.createTrack(created.id, body));
        const trackId = answer.then(({ id }) => id);
        // Awaited below; marked as handled, as another track may fail before.
        trackId.catch(() => {});
        asked.set(kind, trackId);
        // Called back at once: the next track does not wait for this one's answer.
        callback({ id: `${created.id}/${kind}` });
      },
    );
    const tracks = [...this.stream.getVideoTracks(), ...this.stream.getAudioTracks()];
    const made = tracks.map((track) => transport.produce(this.#options(track)));
    for (const producer of await Promise.all(made)) {
      link.transports.follow(transport, producer.rtpSender?.transport);
      const trackId = await asked.get(producer.kind);
      if (!trackId) continue;
      this.#published.set(producer.kind, { producer, trackId });
      if (this.#muted.has(producer.kind)) producer.pause();
    }
  }

  #options(track: MediaStreamTrack): types.ProducerOptions {
    // The stream outlives a producer: it is sent again after a reconnection.
    const common = { track, stopTracks: false, zeroRtpOnPause: true };
    if (track.kind === "audio") {
      return { ...common, codecOptions: { opusDtx: true, opusFec: true } };
    }
    const camera = this.simulcast ? simulcastEncodings : singleEncoding;
    const encodings = this.media === "screen" ? screenEncoding : camera;
    // Copied, as mediasoup-client writes into what it is given.
    return {
      ...common,
      encodings: encodings.map((encoding) => ({ ...encoding })),
      codecOptions: { videoGoogleStartBitrate: 600 },
    };
  }

  async #pause(kind: MediaKindWire, paused: boolean): Promise<void> {
    if (this.#muted.has(kind) === paused) return;
    if (paused) this.#muted.add(kind);
    else this.#muted.delete(kind);
    const published = this.#published.get(kind);
    // Sending stops here at once, whether or not the server can be told.
    if (paused) published?.producer.pause();
    else published?.producer.resume();
    this.#changed(this);
    const { broadcastId } = this;
    const link = this.#link;
    if (!published || !broadcastId || !link || link.closed) return;
    const { trackId } = published;
    await link.run((api) => api.pauseTrack(broadcastId, trackId, paused));
  }

  #giveBack(link: Link): void {
    const { broadcastId } = this;
    this.#clear();
    if (broadcastId && !link.closed) link.api.stopBroadcast(broadcastId).catch(() => {});
  }

  #clear(): void {
    clearTimeout(this.#retry);
    if (this.#transportId) this.#link?.transports.drop(this.#transportId);
    this.#published.clear();
    this.#transportId = undefined;
    this.broadcastId = undefined;
  }

  #become(state: PublicationState, error?: WeirError): void {
    if (this.#state === "stopped") return;
    this.#state = state;
    this.error = error;
    this.#changed(this);
  }
}

function sourceOf(media: MediaClass, kind: MediaKindWire): TrackSource {
  if (media === "screen") return kind === "video" ? "screen" : "screen-audio";
  return kind === "video" ? "camera" : "microphone";
}
