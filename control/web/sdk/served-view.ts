import type { MediaKindWire } from "#schema/media.ts";
import { ShownElements } from "./shown-elements.ts";
import type { ViewOptions } from "./view-options.ts";

/** How a view is shown on the page, and what is asked of the server for it. */
export class ServedView {
  /** @internal Its elements on the page. */
  readonly elements: ShownElements;
  /** @internal Kinds that the server was last asked to hold back from the start. */
  pausedAtFirst: MediaKindWire[] = [];
  readonly #changed: () => void;
  readonly #options: ViewOptions = {};
  #picture = true;
  #heardOnly = false;

  /** @param changed called after each change */
  constructor(changed: () => void) {
    this.#changed = changed;
    this.elements = new ShownElements(changed);
  }

  /** Whether its picture is asked for: not while it is out of sight or heard only. */
  get picture(): boolean {
    return this.#picture;
  }

  /** Others spoke later, in a room with more cameras than are shown at once. */
  get heardOnly(): boolean {
    return this.#heardOnly;
  }

  /** What was set, in place of what the SDK chooses by itself. */
  get options(): Readonly<ViewOptions> {
    return this.#options;
  }

  /**
   * Chooses how it is served; what is left out stays as it is.
   *
   *     view.set({ layers: { spatialLayer: 0 }, priority: 10 });
   *     view.set({ layers: undefined }); // by the size at which it is shown, again
   */
  set(options: ViewOptions): void {
    Object.assign(this.#options, options);
    this.#changed();
  }

  /** @internal Notes whether its picture is asked for. */
  showPicture(picture: boolean, heardOnly: boolean): void {
    if (this.#picture === picture && this.#heardOnly === heardOnly) return;
    this.#picture = picture;
    this.#heardOnly = heardOnly;
    this.#changed();
  }
}
