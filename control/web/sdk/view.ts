import type { types } from "mediasoup-client";
import type { WeirError } from "./errors.ts";

/**
 * `requested`: asked for; `ready`: media flows; `refused`: not now, see `error`;
 * `lost`: its media went and is asked for again; `closed`: over.
 */
export type ViewState = "requested" | "ready" | "refused" | "lost" | "closed";

/** One broadcast as this session watches it. */
export class View {
  readonly broadcastId: string;
  /** The broadcast's tracks; they come and go in this one stream. */
  readonly stream = new MediaStream();
  /** `performance.now()` of the click or event that asked for this view. */
  readonly requestedAtMs: number;
  /** `performance.now()` of the first decoded frame in an attached element. */
  firstFrameAtMs: number | undefined;
  /** The view's id at the server, once it was granted. */
  id: string | undefined;
  transportId: string | undefined;
  /** Why it was refused or lost. */
  error: WeirError | undefined;
  /** Requests made since media last flowed. */
  attempts = 0;
  readonly #consumers = new Map<string, types.Consumer>();
  readonly #changed: (view: View) => void;
  #state: ViewState = "requested";

  /**
   * @param requestedAtMs `performance.now()` of what asked for it
   * @param changed called after each change
   */
  constructor(broadcastId: string, requestedAtMs: number, changed: (view: View) => void) {
    this.broadcastId = broadcastId;
    this.requestedAtMs = requestedAtMs;
    this.#changed = changed;
  }

  get state(): ViewState {
    return this.#state;
  }

  /** Whether media of this track is received. */
  has(trackId: string): boolean {
    return this.#consumers.has(trackId);
  }

  /** The mediasoup-client consumers, by track id. */
  get consumers(): ReadonlyMap<string, types.Consumer> {
    return this.#consumers;
  }

  /**
   * Shows the view in a video element and notes when its first frame arrives.
   * @returns a function that takes it out again
   */
  attach(video: HTMLVideoElement): () => void {
    video.srcObject = this.stream;
    if (this.firstFrameAtMs === undefined) {
      video.requestVideoFrameCallback?.((nowMs) => {
        this.firstFrameAtMs ??= nowMs;
        this.#changed(this);
      });
    }
    return () => {
      if (video.srcObject === this.stream) video.srcObject = null;
    };
  }

  /** @internal Moves the view to a state and tells its listeners. */
  become(state: ViewState, error?: WeirError): void {
    this.#state = state;
    this.error = error;
    if (state === "ready") this.attempts = 0;
    this.#changed(this);
  }

  /** @internal Takes a track's media in. */
  add(trackId: string, consumer: types.Consumer): void {
    this.remove(trackId);
    this.#consumers.set(trackId, consumer);
    this.stream.addTrack(consumer.track);
  }

  /** @internal Lets a track's media go. */
  remove(trackId: string): void {
    const consumer = this.#consumers.get(trackId);
    if (!consumer) return;
    this.#consumers.delete(trackId);
    this.stream.removeTrack(consumer.track);
    consumer.close();
  }

  /** @internal Lets all media go, keeping the stream for what may follow. */
  clear(): void {
    for (const trackId of [...this.#consumers.keys()]) this.remove(trackId);
    this.id = undefined;
    this.transportId = undefined;
  }
}
