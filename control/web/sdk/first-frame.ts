import type { ShownElements } from "./shown-elements.ts";

/** Notices when one of a view's elements shows the media that flows now. */
export class FirstFrame {
  readonly #elements: ShownElements;
  readonly #stream: MediaStream;
  readonly #came: (nowMs: number) => void;
  readonly #looking = new WeakSet<HTMLVideoElement>();
  #seen = false;

  /**
   * @param stream what the elements show
   * @param came called with the `performance.now()` of each first frame
   */
  constructor(
    elements: ShownElements,
    stream: MediaStream,
    came: (nowMs: number) => void,
  ) {
    this.#elements = elements;
    this.#stream = stream;
    this.#came = came;
  }

  /** Whether it was seen since media flows. */
  get seen(): boolean {
    return this.#seen;
  }

  /** Looks at an element until one of them shows a frame. */
  lookAt(video: HTMLVideoElement): void {
    if (this.#seen || this.#looking.has(video)) return;
    this.#looking.add(video);
    const see = (nowMs: number) => {
      this.#looking.delete(video);
      if (!this.#elements.all.has(video)) return;
      // The last frame of media that went is not a picture of what flows now.
      if (this.#stream.getVideoTracks().length === 0) {
        this.lookAt(video);
        return;
      }
      this.#seen = true;
      this.#came(nowMs);
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(see);
    else
      video.addEventListener("timeupdate", () => see(performance.now()), { once: true });
  }

  /** Media went: the first frame of what may follow is looked for. */
  restart(): void {
    this.#seen = false;
    for (const video of this.#elements.all) this.lookAt(video);
  }
}
