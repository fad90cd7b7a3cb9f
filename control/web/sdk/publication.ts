import type { MediaKindWire } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";
import { backoffMs } from "./backoff.ts";
import { openDevice } from "./capture.ts";
import { asWeirError, isPassing, WeirError, type WeirErrorCode } from "./errors.ts";
import type { Link } from "./link.ts";
import { SentTracks } from "./sent-tracks.ts";

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

/** One broadcast of this session, from its stream to the producer worker. */
export class Publication {
  readonly media: MediaClass;
  readonly stream: MediaStream;
  readonly simulcast: boolean;
  /** Why it failed or was interrupted. */
  error: WeirError | undefined;
  readonly #changed: (publication: Publication) => void;
  readonly #muted = new Set<MediaKindWire>();
  #link: Link | undefined;
  #sent: SentTracks | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  #state: PublicationState = "starting";

  constructor(options: PublicationOptions, changed: (publication: Publication) => void) {
    this.media = options.media;
    this.stream = options.stream;
    this.simulcast = options.simulcast ?? true;
    this.#changed = changed;
    for (const track of this.stream.getTracks()) this.#attend(track);
  }

  /** The broadcast's id, while it has a place at the server. */
  get broadcastId(): string | undefined {
    return this.#sent?.broadcastId;
  }

  /** The worker that takes it in, while it has a place. */
  get workerId(): string | undefined {
    return this.#sent?.workerId;
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
    if (transportId !== this.#sent?.transportId) return;
    this.#giveBack(link);
    void this.restart(link);
  }

  /**
   * The browser's numbers for a kind's sender; empty where it is not sent.
   * @param kind which of the two tracks
   */
  async getStats(kind: MediaKindWire): Promise<RTCStatsReport> {
    return (await this.#sent?.producer(kind)?.getStats()) ?? new Map();
  }

  mute(kind: MediaKindWire): Promise<void> {
    return this.#pause(kind, true);
  }

  unmute(kind: MediaKindWire): Promise<void> {
    return this.#pause(kind, false);
  }

  /** Whether a track of this kind is there, muted or not. */
  has(kind: MediaKindWire): boolean {
    return this.track(kind) !== undefined;
  }

  /** The track of a kind: of the camera, the microphone, or what was given. */
  track(kind: MediaKindWire): MediaStreamTrack | undefined {
    return this.stream.getTracks().find((track) => track.kind === kind);
  }

  /** Whether the device of a kind has gone: `use` opens another. */
  isLost(kind: MediaKindWire): boolean {
    return this.track(kind)?.readyState === "ended";
  }

  /**
   * Sends from another device, or begins to send a kind that was not sent.
   * @param deviceId as `listDevices` names it; the default device without it
   * @throws WeirError `no-device`, `device-refused`, `device-busy` and others
   */
  async use(kind: MediaKindWire, deviceId?: string): Promise<void> {
    await this.setTrack(await openDevice(kind, deviceId));
  }

  /**
   * Sends this track from now on: in place of the one of its kind, or beside what
   * is sent. The one before it is stopped.
   * @throws WeirError why the server does not take it
   */
  async setTrack(track: MediaStreamTrack): Promise<void> {
    const kind = track.kind as MediaKindWire;
    const old = this.track(kind);
    const wasLost = this.isLost(kind);
    const producer = this.#sent?.producer(kind);
    try {
      // A producer's own track is paused with it, and a new one has to be as well.
      if (producer) await producer.replaceTrack({ track });
      else if (this.#state === "live") await this.#sent?.add(track);
    } catch (error) {
      track.stop();
      throw asWeirError(error);
    }
    if (old) {
      this.stream.removeTrack(old);
      old.stop();
    }
    this.stream.addTrack(track);
    this.#attend(track);
    if (wasLost) await this.unmute(kind);
    this.#changed(this);
  }

  /** Stops sending a kind and lets its device go; the last one ends the broadcast. */
  async removeTrack(kind: MediaKindWire): Promise<void> {
    const track = this.track(kind);
    if (!track) return;
    if (this.stream.getTracks().length === 1) return this.stop();
    this.stream.removeTrack(track);
    track.stop();
    this.#muted.delete(kind);
    this.#changed(this);
    await this.#sent?.remove(kind);
  }

  /** @internal Sends no layers above this one, or all of them again. */
  limitLayers(spatialLayer: number): void {
    this.#sent?.limitLayers(spatialLayer).catch(() => {});
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
    const { media, simulcast } = this;
    const shape = { media, simulcast, codec: link.entry.room.codec };
    const sent = new SentTracks(link, created, shape, (kind) => this.#muted.has(kind));
    this.#sent = sent;
    // The picture first: it takes longer to appear than sound does.
    const tracks = [...this.stream.getVideoTracks(), ...this.stream.getAudioTracks()];
    await Promise.all(tracks.map((track) => sent.add(track)));
  }

  /** A screen that is shown no longer ends its broadcast; a device that went is silent. */
  #attend(track: MediaStreamTrack): void {
    track.addEventListener("ended", () => {
      const kind = track.kind as MediaKindWire;
      if (this.#state === "stopped" || this.track(kind) !== track) return;
      if (this.media === "screen") {
        void (kind === "video" ? this.stop() : this.removeTrack(kind)).catch(() => {});
        return;
      }
      this.error = new WeirError("device-lost", `The ${kind} device is gone.`);
      this.#pause(kind, true).catch(() => {});
      this.#changed(this);
    });
  }

  async #pause(kind: MediaKindWire, paused: boolean): Promise<void> {
    if (this.#muted.has(kind) === paused) return;
    if (paused) this.#muted.add(kind);
    else this.#muted.delete(kind);
    this.#changed(this);
    await this.#sent?.pause(kind, paused);
  }

  #giveBack(link: Link): void {
    const { broadcastId } = this;
    this.#clear();
    if (broadcastId && !link.closed) link.api.stopBroadcast(broadcastId).catch(() => {});
  }

  #clear(): void {
    clearTimeout(this.#retry);
    this.#sent?.close();
    this.#sent = undefined;
  }

  #become(state: PublicationState, error?: WeirError): void {
    if (this.#state === "stopped") return;
    this.#state = state;
    this.error = error;
    this.#changed(this);
  }
}
