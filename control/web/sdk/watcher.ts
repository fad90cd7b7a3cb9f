import type { Watched } from "#schema/api/media.ts";
import type { RoomStateWire } from "#schema/channel.ts";
import type { BroadcastInfo } from "#schema/events.ts";
import { Asking } from "./asking.ts";
import { backoffMs } from "./backoff.ts";
import { isNoRoom, isPassing, WeirError } from "./errors.ts";
import { HandOver } from "./hand-over.ts";
import type { Link } from "./link.ts";
import { type GrantedView, openViews } from "./open-views.ts";
import { Seats } from "./seats.ts";
import { Syncing } from "./syncing.ts";
import { View, type ViewState } from "./view.ts";

// What is pending follows on the channel; asking mends what was missed there too.
const unheardMs = 10_000;
// What was asked for so often in vain stays refused.
const attemptsMax = 50;

export interface WatcherHost {
  /** The session's link, or undefined while the room is entered again. */
  link(): Link | undefined;
  broadcasts: ReadonlyMap<string, BroadcastInfo>;
  viewChanged(view: View): void;
  /** Whether a picture is wanted from the start, or sound alone. */
  wantsPicture(broadcastId: string): boolean;
}

/** Keeps the views that are wanted alive, whatever comes between. */
export class Watcher {
  readonly views = new Map<string, View>();
  /** Their seats at the server. */
  readonly seats: Seats;
  readonly #host: WatcherHost;
  readonly #asking: Asking;
  readonly #syncing: Syncing;
  readonly #handOver: HandOver;

  constructor(host: WatcherHost) {
    this.#host = host;
    const link = () => host.link();
    const answered = (from: Link, watched: Watched) => this.#apply(from, watched);
    const { broadcasts } = host;
    this.#syncing = new Syncing({ link, broadcasts, answered });
    this.#asking = new Asking({
      link,
      wantsPicture: (broadcastId) => host.wantsPicture(broadcastId),
      asking: (broadcastId, pausedKinds) => {
        const view = this.views.get(broadcastId);
        if (view) view.pausedAtFirst = pausedKinds;
      },
      answered,
      failed: (broadcastId, error) => this.#refuse(broadcastId, error),
    });
    this.#handOver = new HandOver({
      broadcasts,
      askAfter: (broadcastId, dueMs) => this.#asking.after(broadcastId, dueMs),
      giveBack: (viewId) => this.seats.giveBack(viewId),
      changed: (view) => this.#syncing.begin(view),
    });
    this.seats = new Seats({
      link,
      views: this.views,
      handOver: this.#handOver,
      ask: (broadcastId) => this.#asking.now(broadcastId),
      askAgain: (...args) => this.#askAgain(...args),
    });
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
      this.#asking.now(broadcastId);
      this.#host.viewChanged(view);
      return view;
    });
  }

  /** Stops watching; the server is told unless the broadcast itself is over. */
  drop(broadcastId: string, tellServer: boolean): void {
    const view = this.views.get(broadcastId);
    if (!view) return;
    this.views.delete(broadcastId);
    this.#asking.forget(broadcastId);
    this.#handOver.forget(broadcastId);
    this.#syncing.forget(broadcastId);
    if (tellServer) {
      for (const id of [view.id, view.next?.viewId]) this.seats.giveBack(id);
    }
    view.clear();
    view.become("closed");
  }

  /** Media came that an answer had called pending. */
  brought(watched: Watched): void {
    const link = this.#host.link();
    for (const { broadcastId } of watched.views) this.#asking.forget(broadcastId);
    if (link) void this.#apply(link, watched);
  }

  /** A track went: its media does too. */
  trackRemoved(broadcastId: string, trackId: string): void {
    const view = this.views.get(broadcastId);
    view?.remove(trackId);
    if (view) this.#host.viewChanged(view);
  }

  /** Fetches tracks that a view's broadcast has and the view has not. */
  sync(broadcastId: string): void {
    const view = this.views.get(broadcastId);
    if (view) this.#syncing.begin(view);
  }

  /** After a resync: what was missed of the views is asked for. */
  resync(held: RoomStateWire["views"]): void {
    const heldIds = new Set(held.map(({ id }) => id));
    for (const view of [...this.views.values()]) {
      const { broadcastId, id } = view;
      if (!this.#host.broadcasts.has(broadcastId)) this.drop(broadcastId, false);
      else if (id && !heldIds.has(id)) this.missed(view);
      else this.#asking.now(broadcastId);
    }
  }

  /** The server has no seat for a view that is shown: it is asked for anew. */
  missed(view: View): void {
    this.#askAgain(view, "lost", new WeirError("media-failed", "It was missed."));
  }

  /** The room was entered again: every view is asked for once more. */
  restart(): void {
    for (const view of [...this.views.values()]) {
      const { broadcastId } = view;
      if (!this.#host.broadcasts.has(broadcastId)) this.drop(broadcastId, false);
      else this.#askAgain(view, "lost", view.error, 0);
    }
  }

  /** Lets go of everything; the session is over. */
  close(): void {
    for (const broadcastId of [...this.views.keys()]) this.drop(broadcastId, false);
    this.#asking.close();
  }

  #askAgain(view: View, state: ViewState, error?: WeirError, dueMs?: number): void {
    view.clear();
    view.become(state, error);
    // The first try after a loss comes soon, as nothing speaks against it yet.
    const soonMs = backoffMs(view.attempts, state === "lost" ? 200 : 1500, 30_000);
    view.attempts += 1;
    const afterMs = dueMs ?? Math.max(soonMs, error?.retryAfterMs ?? 0);
    this.#asking.after(view.broadcastId, afterMs);
  }

  async #apply(link: Link, watched: Watched): Promise<void> {
    if (link.closed) return;
    for (const transport of watched.transports) link.transports.addReceiving(transport);
    const granted: GrantedView[] = [];
    for (const status of watched.views) {
      const { broadcastId } = status;
      if (status.status === "pending") this.#asking.after(broadcastId, unheardMs);
      else if (status.status === "refused") {
        const message = status.detail ?? status.code;
        this.#refuse(broadcastId, new WeirError(status.code, message));
      } else if (this.seats.isOver(status.id)) this.#overtaken(broadcastId);
      else granted.push(status);
    }
    await openViews(link, granted, {
      wanted: (broadcastId) => this.views.get(broadcastId),
      opened: (view, feed) => {
        if (view.feed !== feed) return;
        view.become("ready");
        this.#syncing.begin(view);
        this.#handOver.nothingNew(view);
      },
      flowing: (view, feed) => {
        if (view.next === feed) void this.#handOver.begin(view, feed);
      },
      failed: (view, feed, error) => {
        if (view.next === feed) return this.#handOver.giveUp(view);
        this.seats.giveBack(feed.viewId);
        this.#askAgain(view, "lost", error);
      },
    });
  }

  /** A seat's end was told before the answer that grants it came. */
  #overtaken(broadcastId: string): void {
    const view = this.views.get(broadcastId);
    // What has another seat is well, and whoever waits for one is told.
    if (view && !view.feed && view.state !== "waiting") this.missed(view);
  }

  #refuse(broadcastId: string, error: WeirError): void {
    const view = this.views.get(broadcastId);
    if (!view) return;
    if (view.state === "ready") {
      // What is shown stays, and the server says when its seat ends.
      if (!isPassing(error.code)) return;
      const ends = (view.feed?.runsUntilMs ?? 0) > performance.now();
      if (ends) this.#asking.after(broadcastId, backoffMs(1));
      else this.#handOver.nothingNew(view);
      return;
    }
    const there = this.#host.broadcasts.has(broadcastId);
    const again = isPassing(error.code) || (error.code === "not-found" && there);
    if (!again || view.attempts >= attemptsMax) view.become("refused", error);
    else this.#askAgain(view, isNoRoom(error.code) ? "waiting" : "refused", error);
  }
}
