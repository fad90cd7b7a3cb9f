import type { BoxSize } from "./picture-size.ts";

/** How a view is shown; undefined where no element ever was given to it. */
export interface Showing {
  /** Whether any of its elements is in sight. */
  visible: boolean;
  /** The largest of those in sight, in the device's pixels. */
  size: BoxSize;
}

interface Watched {
  visible: boolean;
  size: BoxSize;
  changed(): void;
}

const watched = new Map<Element, Watched>();
let resizes: ResizeObserver | undefined;
let sights: IntersectionObserver | undefined;

/** One pair of observers serves all elements of a page. */
function observers() {
  resizes ??= new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const one = watched.get(target);
      if (!one) continue;
      one.size = sizeOf(target);
      one.changed();
    }
  });
  sights ??= new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const one = watched.get(target);
        if (!one || one.visible === isIntersecting) continue;
        one.visible = isIntersecting;
        one.changed();
      }
      // Pictures just outside are kept, so that scrolling to them shows them at once.
    },
    { rootMargin: "160px" },
  );
  return { resizes, sights };
}

function sizeOf(element: Element): BoxSize {
  const ratio = globalThis.devicePixelRatio || 1;
  const { clientWidth, clientHeight } = element;
  return { width: clientWidth * ratio, height: clientHeight * ratio };
}

/** The elements in which one view is shown. */
export class ShownElements {
  readonly #elements = new Set<HTMLVideoElement>();
  readonly #changed: () => void;
  #everShown = false;

  /** @param changed called when one of them is resized, or comes in or out of sight */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get all(): ReadonlySet<HTMLVideoElement> {
    return this.#elements;
  }

  /** How it is shown now; undefined while no element was ever given to it. */
  get showing(): Showing | undefined {
    if (!this.#everShown) return undefined;
    const size = { width: 0, height: 0 };
    let visible = false;
    for (const element of this.#elements) {
      const one = watched.get(element);
      const inPicture = document.pictureInPictureElement === element;
      if (!one || !(inPicture || (one.visible && !document.hidden))) continue;
      visible = true;
      size.width = Math.max(size.width, one.size.width);
      size.height = Math.max(size.height, one.size.height);
    }
    return { visible, size };
  }

  /** The size of the picture that arrives at present, if one does. */
  get received(): BoxSize | undefined {
    const [element] = this.#elements;
    if (!element?.videoHeight) return undefined;
    return { width: element.videoWidth, height: element.videoHeight };
  }

  add(element: HTMLVideoElement): void {
    this.#everShown = true;
    this.#elements.add(element);
    const { resizes: sizes, sights: places } = observers();
    // In sight until the browser says otherwise: nobody waits for a first picture.
    watched.set(element, {
      visible: true,
      size: sizeOf(element),
      changed: this.#changed,
    });
    sizes.observe(element);
    places.observe(element);
    this.#changed();
  }

  remove(element: HTMLVideoElement): void {
    if (!this.#elements.delete(element)) return;
    const { resizes: sizes, sights: places } = observers();
    sizes.unobserve(element);
    places.unobserve(element);
    watched.delete(element);
    this.#changed();
  }
}
