import type { BroadcastInfo } from "#schema/events.ts";
import { backoffMs } from "./backoff.ts";
import { type Feed, firstPictureOf } from "./feed.ts";
import type { View } from "./view.ts";

// A new seat's first picture is waited for as long as the server does.
const pictureWithinMs = 10_000;
const renewAttempts = 6;

export interface HandOverHost {
  broadcasts: ReadonlyMap<string, BroadcastInfo>;
  /** Asks for a broadcast's newest seat and consumers in `waitMs` milliseconds. */
  askAfter(broadcastId: string, waitMs: number): void;
  /** Ends a seat at the server. */
  giveBack(viewId: string): void;
  /** What waited beside is shown now. */
  changed(view: View): void;
}

/** Changes views from one server's media to another's without a gap. */
export class HandOver {
  readonly #host: HandOverHost;
  /** Attempts to get the renewed consumers, by broadcast. */
  readonly #renewing = new Map<string, number>();

  constructor(host: HandOverHost) {
    this.#host = host;
  }

  /** New consumers are on their way for the seat that a view has. */
  renew(broadcastId: string): void {
    this.#renewing.set(broadcastId, 0);
  }

  /** An answer brought no new consumers: it may have been made before them. */
  nothingNew({ broadcastId }: View): void {
    const attempt = this.#renewing.get(broadcastId);
    if (attempt === undefined) return;
    if (attempt >= renewAttempts) {
      this.forget(broadcastId);
      return;
    }
    this.#renewing.set(broadcastId, attempt + 1);
    this.#host.askAfter(broadcastId, backoffMs(attempt, 300, 2000));
  }

  /**
   * Shows what waits beside when its first picture is there, or when what is
   * shown is over. A new picture that does not come is given up.
   */
  async begin(view: View, next: Feed): Promise<void> {
    this.forget(view.broadcastId);
    const latestMs = performance.now() + pictureWithinMs;
    const overMs = view.feed?.runsUntilMs ?? Number.POSITIVE_INFINITY;
    const isMuted = (trackId: string) => {
      const unseen = !view.picture && next.consumers.get(trackId)?.kind === "video";
      return unseen || this.#isMuted(view.broadcastId, trackId);
    };
    const outcome = await firstPictureOf(next, isMuted, Math.min(overMs, latestMs));
    if (view.next !== next) return;
    if (outcome === "seen" || performance.now() >= overMs) this.takeOver(view);
    else this.giveUp(view);
  }

  /** Shows what waits beside now. */
  takeOver(view: View): void {
    const old = view.takeOver();
    if (old && old.viewId !== view.id) this.#host.giveBack(old.viewId);
    this.#host.changed(view);
  }

  /**
   * What waits beside does not come: what is shown stays. Its seat is not given
   * back, as ending a move's new seat ends the old one too: it is tried again.
   */
  giveUp(view: View): void {
    if (view.dropNext()) this.#host.askAfter(view.broadcastId, backoffMs(1));
  }

  /** Waits for no new consumers of a broadcast any more. */
  forget(broadcastId: string): void {
    this.#renewing.delete(broadcastId);
  }

  #isMuted(broadcastId: string, trackId: string): boolean {
    const tracks = this.#host.broadcasts.get(broadcastId)?.tracks ?? [];
    // A track that is not known any more brings no picture either.
    return tracks.find(({ id }) => id === trackId)?.paused ?? true;
  }
}
