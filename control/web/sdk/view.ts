import type { types } from "mediasoup-client";
import type { WeirError } from "./errors.ts";
import { Feed, type SeatMedia } from "./feed.ts";
import { FirstFrame } from "./first-frame.ts";
import { ServedView } from "./served-view.ts";
import { type MediaStats, Meter } from "./stats.ts";
import type { ViewReceiving } from "./view-options.ts";

/**
 * `requested`: asked for; `ready`: media flows; `moving`: its server is gone, and
 * another one has a seat for it; `waiting`: no server has room, and it is granted
 * when one has; `refused`: not now, see `error`; `lost`: its media went and is
 * asked for again; `closed`: over.
 */
export type ViewState =
  | "requested"
  | "ready"
  | "moving"
  | "waiting"
  | "refused"
  | "lost"
  | "closed";

/** One broadcast as this session watches it. */
export class View extends ServedView {
  readonly broadcastId: string;
  /** The broadcast's tracks; they come and go in this one stream. */
  readonly stream = new MediaStream();
  /** `performance.now()` of the click or event that asked for this view. */
  readonly requestedAtMs: number;
  /** `performance.now()` of the first decoded frame in an attached element. */
  firstFrameAtMs: number | undefined;
  /** Why it was refused, lost or moved. */
  error: WeirError | undefined;
  /** Requests made since media last flowed. */
  attempts = 0;
  readonly #changed: (view: View) => void;
  readonly #firstFrame: FirstFrame;
  #state: ViewState = "requested";
  #stalled = false;
  readonly #meter = new Meter();
  #feed: Feed | undefined;
  #next: Feed | undefined;

  /**
   * @param requestedAtMs `performance.now()` of what asked for it
   * @param changed called after each change
   */
  constructor(broadcastId: string, requestedAtMs: number, changed: (view: View) => void) {
    super(() => this.#changed(this));
    this.broadcastId = broadcastId;
    this.requestedAtMs = requestedAtMs;
    this.#changed = changed;
    this.#firstFrame = new FirstFrame(this.elements, this.stream, (nowMs) => {
      this.firstFrameAtMs ??= nowMs;
      this.#changed(this);
    });
  }

  get state(): ViewState {
    return this.#state;
  }

  /** The view's id at the server, once it was granted; a move changes it. */
  get id(): string | undefined {
    return this.#feed?.viewId;
  }

  get transportId(): string | undefined {
    return this.#feed?.transportId;
  }

  /** The consumer worker that serves it, once it was granted. */
  get workerId(): string | undefined {
    return this.#feed?.workerId;
  }

  /** What the server sends of its picture at present. */
  get receiving(): Readonly<ViewReceiving> {
    return this.#feed?.receiving ?? {};
  }

  /** Nothing arrives of it at present, though something should. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Another server's media is being set up beside what is shown. */
  get moving(): boolean {
    return this.#next !== undefined;
  }

  /** Whether an attached element shows the media that flows now. */
  get shown(): boolean {
    return this.#firstFrame.seen;
  }

  /** @internal The mediasoup-client consumers, by track id. */
  get consumers(): ReadonlyMap<string, types.Consumer> {
    return this.#feed?.consumers ?? new Map();
  }

  /** Whether media of this track is received. */
  has(trackId: string): boolean {
    return this.consumers.has(trackId);
  }

  /**
   * Shows the view in a video element and notes when its first frame arrives.
   * @returns a function that takes it out again
   */
  attach(video: HTMLVideoElement): () => void {
    video.srcObject = this.stream;
    this.elements.add(video);
    this.#firstFrame.lookAt(video);
    return () => {
      this.elements.remove(video);
      if (video.srcObject === this.stream) video.srcObject = null;
    };
  }

  /** What arrives of it, since this was last asked. */
  async stats(): Promise<MediaStats> {
    const consumers = [...this.consumers.values()];
    const read = () => Promise.all(consumers.map((consumer) => consumer.getStats()));
    const { workerId } = this;
    return { ...(await this.#meter.measure(read)), ...this.receiving, workerId };
  }

  /** @internal What is shown now. */
  get feed(): Feed | undefined {
    return this.#feed;
  }

  /** @internal What waits beside it until its picture is there. */
  get next(): Feed | undefined {
    return this.#next;
  }

  /** @internal Moves the view to a state and tells its listeners. */
  become(state: ViewState, error?: WeirError): void {
    this.#state = state;
    this.error = error;
    if (state === "ready") this.attempts = 0;
    this.#changed(this);
  }

  /** @internal Says whether what should arrive does. */
  stall(stalled: boolean): void {
    if (this.#stalled === stalled) return;
    this.#stalled = stalled;
    this.#changed(this);
  }

  /**
   * @internal The feed that a seat's media goes into: the one that is shown, or
   * one beside it where consumers or the seat itself are others.
   */
  feedFor(seat: SeatMedia): Feed {
    const shown = this.#feed;
    if (!shown) {
      this.#feed = new Feed(seat, this.pausedAtFirst);
      return this.#feed;
    }
    if (shown.takes(seat)) return shown;
    if (this.#next?.takes(seat)) return this.#next;
    this.#next?.close(shown);
    this.#next = new Feed(seat, this.pausedAtFirst);
    // What is the same in both goes over as it is.
    for (const { id, trackId } of seat.consumers) {
      const present = shown.consumers.get(trackId);
      if (present?.id === id) this.#next.add(trackId, present);
    }
    this.#changed(this);
    return this.#next;
  }

  /** @internal Whether a feed is one of the view's at present. */
  holds(feed: Feed): boolean {
    return feed === this.#feed || feed === this.#next;
  }

  /** @internal Takes a track's media in; that of a feed that is over is closed. */
  add(feed: Feed, trackId: string, consumer: types.Consumer): void {
    feed.add(trackId, consumer);
    if (feed === this.#feed) this.stream.addTrack(consumer.track);
  }

  /** @internal Lets a track's media go. */
  remove(trackId: string): void {
    for (const feed of [this.#feed, this.#next]) {
      const consumer = feed?.consumers.get(trackId);
      if (!consumer) continue;
      feed?.consumers.delete(trackId);
      this.stream.removeTrack(consumer.track);
      consumer.close();
    }
  }

  /**
   * @internal Shows what waited beside. The new tracks come before the old ones
   * go, so that an element changes from one picture to the other.
   * @returns the feed that was shown until now
   */
  takeOver(): Feed | undefined {
    const old = this.#feed;
    const next = this.#next;
    if (!next) return undefined;
    this.#feed = next;
    this.#next = undefined;
    const present = new Set(this.stream.getTracks());
    const tracks = [...next.consumers.values()].map(({ track }) => track);
    for (const track of tracks) if (!present.has(track)) this.stream.addTrack(track);
    for (const track of present) {
      if (!tracks.includes(track)) this.stream.removeTrack(track);
    }
    old?.close(next);
    this.#stalled = false;
    this.#changed(this);
    return old;
  }

  /** @internal Gives up what waited beside. @returns it */
  dropNext(): Feed | undefined {
    const next = this.#next;
    this.#next = undefined;
    next?.close(this.#feed);
    if (next) this.#changed(this);
    return next;
  }

  /** @internal Lets all media go, keeping the stream for what may follow. */
  clear(): void {
    this.dropNext();
    this.#feed?.close();
    this.#feed = undefined;
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
    this.#stalled = false;
    this.#firstFrame.restart();
  }
}
