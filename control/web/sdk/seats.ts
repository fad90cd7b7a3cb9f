import type { OwnEvent } from "#schema/events.ts";
import { WeirError } from "./errors.ts";
import type { HandOver } from "./hand-over.ts";
import type { Link } from "./link.ts";
import type { View, ViewState } from "./view.ts";

type Told<Type extends OwnEvent["type"]> = Extract<OwnEvent, { type: Type }>;

// How long the last picture of media that is gone may stay, with a word over it.
const lastPictureMs = 5000;
// The server knows of a closed transport at once, and says what becomes of its views.
const toldWithinMs = 1500;
// The server grants what waits; asking by oneself only mends what was missed.
const waitMs = 30_000;
// An answer is on its way for seconds: what ended before these did is in none.
const overMax = 256;

export interface SeatsHost {
  /** The session's link, or undefined while the room is entered again. */
  link(): Link | undefined;
  views: ReadonlyMap<string, View>;
  handOver: HandOver;
  /** Asks for a broadcast's newest seat and consumers. */
  ask(broadcastId: string): void;
  /**
   * Lets a view's media go, and asks for it in `dueMs` milliseconds, or after a
   * pause that grows with each attempt.
   */
  askAgain(view: View, state: ViewState, error: WeirError, dueMs?: number): void;
}

/** Follows what becomes of the seats that views have at the server. */
export class Seats {
  readonly #host: SeatsHost;
  /** Transports that were lost once. */
  readonly #broken = new Set<string>();
  /** Seats that the server ended or replaced, oldest first. */
  readonly #over = new Set<string>();

  constructor(host: SeatsHost) {
    this.#host = host;
  }

  /**
   * Whether a seat has ended or was replaced: an answer that grants it was made
   * before that, and was overtaken on its way.
   */
  isOver(viewId: string): boolean {
    return this.#over.has(viewId);
  }

  /**
   * Another seat is kept for a view. Where the old one still runs, the new one's
   * media is set up beside it; else the view has none until that is there.
   */
  moved({ viewId, toViewId, broadcastId, reason, oldRunsMs }: Told<"view.moved">): void {
    this.#noteOver(viewId);
    const view = this.#host.views.get(broadcastId);
    if (view?.feed?.viewId === viewId) {
      if (oldRunsMs > 0) view.feed.runsUntilMs = performance.now() + oldRunsMs;
      else {
        const { transportId } = view;
        view.clear();
        view.become("moving", new WeirError("media-failed", reason));
        this.#dropUnused(transportId);
      }
    }
    if (!view) this.giveBack(toViewId);
    else if (view.id !== toViewId) this.#host.ask(broadcastId);
  }

  /** A view's broadcast comes from elsewhere now: its new consumers are fetched. */
  renewed({ viewId, broadcastId, oldRunsMs }: Told<"view.renewed">): void {
    const view = this.#host.views.get(broadcastId);
    if (view?.feed?.viewId !== viewId) return;
    // The last picture of what is gone stays for a moment: better than none.
    view.feed.runsUntilMs = performance.now() + Math.max(oldRunsMs, lastPictureMs);
    this.#host.handOver.renew(broadcastId);
    this.#host.ask(broadcastId);
  }

  /** A view that had to wait for room has a seat. */
  granted({ viewId, broadcastId }: Told<"view.granted">): void {
    if (this.#host.views.has(broadcastId)) this.#host.ask(broadcastId);
    else this.giveBack(viewId);
  }

  /** A view's media is gone: it is asked for again, or waits for room. */
  lost({ viewId, broadcastId, reason, code }: Told<"view.lost">): void {
    this.#noteOver(viewId);
    const view = this.#host.views.get(broadcastId);
    if (!view) return;
    if (view.next?.viewId === viewId && view.id !== viewId) {
      view.dropNext();
    } else if (view.id === viewId && view.next && view.next.viewId !== viewId) {
      this.#host.handOver.takeOver(view);
    } else if (view.id === viewId || (view.id === undefined && code)) {
      if (code) this.#host.askAgain(view, "waiting", new WeirError(code, reason), waitMs);
      else this.#host.askAgain(view, "lost", new WeirError("media-failed", reason));
    }
  }

  /**
   * A transport is gone. The seats of what came through it are kept: the server says
   * where they go on, or asking brings them a new transport. One that breaks again
   * is given back.
   */
  transportGone(transportId: string): void {
    const isKept = !this.#broken.has(transportId);
    this.#broken.add(transportId);
    for (const view of this.#host.views.values()) {
      if (view.next?.transportId === transportId) this.#host.handOver.giveUp(view);
      if (view.transportId !== transportId) continue;
      if (view.next) {
        this.#host.handOver.takeOver(view);
        continue;
      }
      if (!isKept) this.giveBack(view.id);
      const error = new WeirError("network", "The connection was lost.");
      this.#host.askAgain(view, "lost", error, isKept ? toldWithinMs : undefined);
    }
  }

  /** Ends a seat at the server. */
  giveBack(viewId: string | undefined): void {
    const api = this.#host.link()?.api;
    if (viewId && api) api.stopView(viewId).catch(() => {});
  }

  #noteOver(viewId: string): void {
    this.#over.add(viewId);
    const [oldest] = this.#over;
    if (oldest !== undefined && this.#over.size > overMax) this.#over.delete(oldest);
  }

  /** Closes a transport whose server is gone, once nothing comes through it. */
  #dropUnused(transportId: string | undefined): void {
    const views = [...this.#host.views.values()];
    const used = views.some(
      (view) =>
        view.transportId === transportId || view.next?.transportId === transportId,
    );
    if (transportId && !used) this.#host.link()?.transports.drop(transportId);
  }
}
