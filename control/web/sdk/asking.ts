import type { Watched } from "#schema/api/media.ts";
import type { MediaKindWire } from "#schema/media.ts";
import { asWeirError, type WeirError } from "./errors.ts";
import type { Link } from "./link.ts";

// What is asked for alone goes at once, as someone waits for it; broadcasts that
// start together, and whose news come one by one, share the requests that follow.
const gatherMs = 8;
const viewsPerRequest = 64;

export interface AskingHost {
  /** The session's link, or undefined while the room is entered again. */
  link(): Link | undefined;
  /** Whether a picture is wanted from the start, or sound alone. */
  wantsPicture(broadcastId: string): boolean;
  /** It is asked for now, with these kinds held back. */
  asking(broadcastId: string, pausedKinds: MediaKindWire[]): void;
  answered(link: Link, watched: Watched): Promise<void>;
  failed(broadcastId: string, error: WeirError): void;
}

/**
 * Asks for broadcasts' media. Asking for what is watched already is answered
 * with its newest seat and consumers, so one request serves every occasion.
 */
export class Asking {
  readonly #host: AskingHost;
  readonly #queue = new Set<string>();
  readonly #later = new Map<string, ReturnType<typeof setTimeout>>();
  #gathering: ReturnType<typeof setTimeout> | undefined;
  /** `performance.now()` of the last request. */
  #requestedAtMs = Number.NEGATIVE_INFINITY;

  constructor(host: AskingHost) {
    this.#host = host;
  }

  /** Asks for a broadcast's media together with what else is asked for now. */
  now(broadcastId: string): void {
    this.forget(broadcastId);
    this.#queue.add(broadcastId);
    const dueMs = this.#requestedAtMs + gatherMs - performance.now();
    this.#gathering ??= setTimeout(() => this.#request(), Math.max(0, dueMs));
  }

  /** Asks for it in `waitMs` milliseconds, unless it is asked for before. */
  after(broadcastId: string, waitMs: number): void {
    this.forget(broadcastId);
    const timer = setTimeout(() => this.now(broadcastId), waitMs);
    this.#later.set(broadcastId, timer);
  }

  /** Asks for it no more. */
  forget(broadcastId: string): void {
    this.#queue.delete(broadcastId);
    clearTimeout(this.#later.get(broadcastId));
    this.#later.delete(broadcastId);
  }

  /** Asks for nothing more. */
  close(): void {
    for (const broadcastId of [...this.#later.keys()]) this.forget(broadcastId);
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#queue.clear();
  }

  #request(): void {
    this.#gathering = undefined;
    this.#requestedAtMs = performance.now();
    const link = this.#host.link();
    // Without a link they are asked for when the room was entered again.
    if (!link) return;
    const ids = [...this.#queue];
    this.#queue.clear();
    const seen = ids.filter((id) => this.#host.wantsPicture(id));
    this.#requestAll(link, seen, []);
    const heard = ids.filter((id) => !seen.includes(id));
    this.#requestAll(link, heard, ["video"]);
  }

  #requestAll(link: Link, ids: string[], pausedKinds: MediaKindWire[]): void {
    for (let start = 0; start < ids.length; start += viewsPerRequest) {
      const some = ids.slice(start, start + viewsPerRequest);
      for (const broadcastId of some) this.#host.asking(broadcastId, pausedKinds);
      void this.#requestSome(link, some, pausedKinds);
    }
  }

  async #requestSome(
    link: Link,
    broadcasts: string[],
    pausedKinds: MediaKindWire[],
  ): Promise<void> {
    try {
      const { rtpCapabilities, identification } = link;
      const { dtlsParameters } = identification;
      const body = { broadcasts, pausedKinds, rtpCapabilities, dtlsParameters };
      await this.#host.answered(link, await link.runOwn((api) => api.createViews(body)));
    } catch (error) {
      if (link.closed) return;
      for (const broadcastId of broadcasts) {
        this.#host.failed(broadcastId, asWeirError(error));
      }
    }
  }
}
