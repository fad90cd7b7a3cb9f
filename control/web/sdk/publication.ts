import type { MediaKindWire } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";
import { openDevice } from "./capture.ts";
import { asWeirError, WeirError } from "./errors.ts";
import { Place } from "./place.ts";
import { type MediaStats, Meter } from "./stats.ts";

/** `starting`, `live`, `interrupted` (comes back by itself), `failed`, `stopped`. */
export type PublicationState = "starting" | "live" | "interrupted" | "failed" | "stopped";

export interface PublicationOptions {
  media: MediaClass;
  stream: MediaStream;
  /** Three layers for a camera's video; true by default. */
  simulcast?: boolean;
}

/** One broadcast of this session, from its stream to the producer worker. */
export class Publication {
  readonly media: MediaClass;
  readonly stream: MediaStream;
  readonly simulcast: boolean;
  /** Why it failed or was interrupted. */
  error: WeirError | undefined;
  readonly #changed: (publication: Publication) => void;
  readonly #muted = new Set<MediaKindWire>();
  readonly #place: Place;
  readonly #meter = new Meter();
  #state: PublicationState = "starting";

  constructor(options: PublicationOptions, changed: (publication: Publication) => void) {
    this.media = options.media;
    this.stream = options.stream;
    this.simulcast = options.simulcast ?? true;
    this.#changed = changed;
    const { media, stream, simulcast } = this;
    const isMuted = (kind: MediaKindWire) => this.#muted.has(kind);
    const became = (state: PublicationState, error?: WeirError) =>
      this.#become(state, error);
    this.#place = new Place({ media, stream, simulcast, isMuted, became });
    for (const track of this.stream.getTracks()) this.#attend(track);
  }

  /** The broadcast's id, while it has a place at the server. */
  get broadcastId(): string | undefined {
    return this.#place.sent?.broadcastId;
  }

  /** The worker that takes it in, while it has a place. */
  get workerId(): string | undefined {
    return this.#place.sent?.workerId;
  }

  get state(): PublicationState {
    return this.#state;
  }

  /** Whether a kind is muted (its track is sent to nobody, and not sent at all). */
  isMuted(kind: MediaKindWire): boolean {
    return this.#muted.has(kind);
  }

  /** @internal Its place at the server. */
  get place(): Place {
    return this.#place;
  }

  /**
   * The browser's numbers for a kind's sender; empty where it is not sent.
   * @param kind which of the two tracks
   */
  async getStats(kind: MediaKindWire): Promise<RTCStatsReport> {
    return (await this.#place.sent?.producer(kind)?.getStats()) ?? new Map();
  }

  /** What is sent of it, since this was last asked. */
  async stats(): Promise<MediaStats> {
    const kinds = ["video", "audio"] as const;
    const read = () => Promise.all(kinds.map((kind) => this.getStats(kind)));
    return { ...(await this.#meter.measure(read)), workerId: this.workerId };
  }

  /** Sends nothing of a kind; viewers are told. Its device stays in use. */
  mute(kind: MediaKindWire): Promise<void> {
    return this.#pause(kind, true);
  }

  /** Goes on sending a kind. */
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
    try {
      await this.#place.send(track, this.#state === "live");
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
    await this.#place.remove(kind);
  }

  /** @internal Sends no layers above this one, or all of them again. */
  limitLayers(spatialLayer: number): void {
    this.#place.sent?.limitLayers(spatialLayer).catch(() => {});
  }

  /** Stops the broadcast and its devices. */
  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    const stopping = this.#place.stop();
    for (const track of this.stream.getTracks()) track.stop();
    this.#become("stopped");
    await stopping;
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
    await this.#place.pause(kind, paused);
  }

  #become(state: PublicationState, error?: WeirError): void {
    if (this.#state === "stopped") return;
    this.#state = state;
    this.error = error;
    this.#changed(this);
  }
}
