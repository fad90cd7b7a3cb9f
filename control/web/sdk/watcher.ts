import type { Watched } from "#schema/api/media.ts";
import type { BroadcastInfo } from "#schema/channel.ts";
import { backoffMs } from "./backoff.ts";
import { asWeirError, isPassing, WeirError } from "./errors.ts";
import type { Link } from "./link.ts";
import { openViews } from "./open-views.ts";
import { View } from "./view.ts";

// Broadcasts that start together are asked for in one request.
const gatherMs = 8;
const viewsPerRequest = 64;

export interface WatcherHost {
  /** The session's link, or undefined while the room is entered again. */
  link(): Link | undefined;
  broadcasts: ReadonlyMap<string, BroadcastInfo>;
  viewChanged(view: View): void;
}

/** Keeps the views that are wanted alive, whatever comes between. */
export class Watcher {
  readonly views = new Map<string, View>();
  readonly #host: WatcherHost;
  readonly #queue = new Set<string>();
  readonly #retries = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #syncing = new Map<string, ReturnType<typeof setTimeout>>();
  #gathering: ReturnType<typeof setTimeout> | undefined;

  constructor(host: WatcherHost) {
    this.#host = host;
  }

  /**
   * Watches broadcasts; those that are watched already stay as they are.
   * @param requestedAtMs `performance.now()` of what asked for them
   * @returns their views, in the order asked
   */
  want(broadcastIds: Iterable<string>, requestedAtMs = performance.now()): View[] {
    return Array.from(broadcastIds, (broadcastId) => {
      const there = this.views.get(broadcastId);
      if (there) return there;
      const view = new View(broadcastId, requestedAtMs, (one) => {
        this.#host.viewChanged(one);
      });
      this.views.set(broadcastId, view);
      this.#ask(broadcastId);
      this.#host.viewChanged(view);
      return view;
    });
  }

  /** Stops watching; the server is told unless the broadcast itself is over. */
  drop(broadcastId: string, tellServer: boolean): void {
    const view = this.views.get(broadcastId);
    if (!view) return;
    this.views.delete(broadcastId);
    this.#queue.delete(broadcastId);
    for (const timers of [this.#retries, this.#syncing]) {
      clearTimeout(timers.get(broadcastId));
      timers.delete(broadcastId);
    }
    if (tellServer) this.#release(view);
    view.clear();
    view.become("closed");
  }

  /** The server says that a view's media is gone: asks for it again. */
  lost(viewId: string, reason: string): void {
    const view = [...this.views.values()].find(({ id }) => id === viewId);
    if (view) this.#askAgain(view, "lost", new WeirError("media-failed", reason));
  }

  /** A transport is gone: what came through it is given back and asked for again. */
  transportGone(transportId: string): void {
    for (const view of this.views.values()) {
      if (view.transportId !== transportId) continue;
      this.#release(view);
      this.#askAgain(view, "lost", new WeirError("network", "The connection was lost."));
    }
  }

  /** A track went: its media does too. */
  trackRemoved(broadcastId: string, trackId: string): void {
    const view = this.views.get(broadcastId);
    view?.remove(trackId);
    if (view) this.#host.viewChanged(view);
  }

  /** Fetches tracks that a view's broadcast has and the view has not. */
  sync(broadcastId: string, attempt = 0): void {
    const view = this.views.get(broadcastId);
    if (view?.state !== "ready" || this.#syncing.has(broadcastId)) return;
    if (!this.#lacksTracks(view)) return;
    const waitMs = attempt === 0 ? gatherMs : backoffMs(attempt);
    const timer = setTimeout(async () => {
      await this.#syncNow(view).catch(() => {});
      this.#syncing.delete(broadcastId);
      if (attempt < 5) this.sync(broadcastId, attempt + 1);
    }, waitMs);
    this.#syncing.set(broadcastId, timer);
  }

  /** After a resync: views that the server has no more are asked for again. */
  resync(heldViewIds: ReadonlySet<string>): void {
    for (const view of [...this.views.values()]) {
      if (!this.#host.broadcasts.has(view.broadcastId))
        this.drop(view.broadcastId, false);
      else if (view.id && !heldViewIds.has(view.id)) this.lost(view.id, "It was missed.");
      else this.sync(view.broadcastId);
    }
  }

  /** The room was entered again: every view is asked for once more. */
  restart(): void {
    for (const view of [...this.views.values()]) {
      if (!this.#host.broadcasts.has(view.broadcastId))
        this.drop(view.broadcastId, false);
      else this.#askAgain(view, "lost", view.error, 0);
    }
  }

  /** Lets go of everything; the session is over. */
  close(): void {
    for (const broadcastId of [...this.views.keys()]) this.drop(broadcastId, false);
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
  }

  #ask(broadcastId: string): void {
    this.#queue.add(broadcastId);
    this.#gathering ??= setTimeout(() => this.#request(), gatherMs);
  }

  #askAgain(view: View, state: "lost" | "refused", error?: WeirError, waitMs?: number) {
    view.clear();
    view.become(state, error);
    const { broadcastId } = view;
    clearTimeout(this.#retries.get(broadcastId));
    // The first try after a loss comes soon, as nothing speaks against it yet.
    const soonMs = backoffMs(view.attempts, state === "lost" ? 200 : 1500, 30_000);
    const dueMs = waitMs ?? Math.max(soonMs, error?.retryAfterMs ?? 0);
    view.attempts += 1;
    const timer = setTimeout(() => {
      this.#retries.delete(broadcastId);
      this.#ask(broadcastId);
    }, dueMs);
    this.#retries.set(broadcastId, timer);
  }

  #request(): void {
    this.#gathering = undefined;
    const link = this.#host.link();
    // Without a link they are asked for when the room was entered again.
    if (!link) return;
    const ids = [...this.#queue];
    this.#queue.clear();
    for (let start = 0; start < ids.length; start += viewsPerRequest) {
      void this.#requestSome(link, ids.slice(start, start + viewsPerRequest));
    }
  }

  async #requestSome(link: Link, broadcasts: string[]): Promise<void> {
    try {
      const rtpCapabilities = link.rtpCapabilities;
      const { dtlsParameters } = link.identification;
      const body = { broadcasts, rtpCapabilities, dtlsParameters };
      await this.#apply(link, await link.runOwn((api) => api.createViews(body)));
    } catch (error) {
      if (link.closed) return;
      for (const broadcastId of broadcasts) this.#refuse(broadcastId, asWeirError(error));
    }
  }

  async #syncNow(view: View): Promise<void> {
    const link = this.#host.link();
    const viewId = view.id;
    if (!link || !viewId) return;
    const { rtpCapabilities, identification } = link;
    const { dtlsParameters } = identification;
    const body = { rtpCapabilities, dtlsParameters };
    await this.#apply(link, await link.run((api) => api.syncView(viewId, body)));
  }

  async #apply(link: Link, watched: Watched): Promise<void> {
    if (link.closed) return;
    for (const transport of watched.transports) link.transports.addReceiving(transport);
    for (const status of watched.views) {
      if (status.status !== "refused") continue;
      const message = status.detail ?? status.code;
      this.#refuse(status.broadcastId, new WeirError(status.code, message));
    }
    await openViews(link, watched, {
      wanted: (broadcastId) => this.views.get(broadcastId),
      opened: (view) => this.sync(view.broadcastId),
      failed: (view, error) => {
        this.#release(view);
        this.#askAgain(view, "lost", error);
      },
    });
  }

  #refuse(broadcastId: string, error: WeirError): void {
    const view = this.views.get(broadcastId);
    // An open view whose later tracks were refused keeps what it has.
    if (!view || view.state === "ready") return;
    const there = this.#host.broadcasts.has(broadcastId);
    const again = isPassing(error.code) || (error.code === "not-found" && there);
    if (again && view.attempts < 50) this.#askAgain(view, "refused", error);
    else view.become("refused", error);
  }

  #release(view: View): void {
    const { id } = view;
    if (id)
      this.#host
        .link()
        ?.api.stopView(id)
        .catch(() => {});
  }

  #lacksTracks(view: View): boolean {
    const tracks = this.#host.broadcasts.get(view.broadcastId)?.tracks ?? [];
    return tracks.some(({ id }) => !view.has(id));
  }
}
