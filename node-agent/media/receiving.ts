import type { types } from "mediasoup";
import type { CallResult } from "#schema/agent/call-results.ts";
import type { CallOf } from "#schema/agent/calls.ts";
import type { WorkerRef } from "#schema/agent/instructions.ts";
import type { RtpCapabilitiesWire } from "#schema/media.ts";
import { CallError, gone } from "../calls/call-error.ts";
import type { MediaContext } from "./context.ts";
import { Idleness } from "./idleness.ts";
import { KeyedQueues } from "./keyed-queues.ts";
import { LayerWishes } from "./layer-wishes.ts";
import { type AskedView, type IncomingPipe, NoPipeError, type Piped } from "./piped.ts";
import type { ClientTransport } from "./transports.ts";
import { View } from "./views.ts";

type WatchedView = CallResult<"watch">["views"][number];

/** The viewer side: views on receiving transports, and their consumers. */
export class Receiving {
  readonly #context: MediaContext;
  readonly #piped: Piped;
  readonly #queues = new KeyedQueues();
  readonly #views = new Map<string, View>();
  readonly #idleness: Idleness;
  readonly #layerWishes: LayerWishes;

  /** @param onIdle closes a transport that nothing uses any more */
  constructor(
    context: MediaContext,
    piped: Piped,
    onIdle: (transport: ClientTransport) => void,
  ) {
    this.#context = context;
    this.#piped = piped;
    this.#layerWishes = new LayerWishes(context, () => this.all);
    this.#idleness = new Idleness({
      idleTransportMs: context.timing.idleTransportMs,
      isUsed: (transport) => this.viewsOn(transport).length > 0,
      close: onIdle,
    });
  }

  /** All views on this node at present. */
  get all(): View[] {
    return [...this.#views.values()];
  }

  /**
   * Resumes what `watch` made on a transport that was there already.
   * @throws CallError `gone` where none of the views is here, `invalid` where
   *   one is another session's
   */
  async resumeViews(call: CallOf<"resume-views">): Promise<CallResult<"resume-views">> {
    const views = call.viewIds.flatMap((id) => this.owned(id, call.sessionId) ?? []);
    if (views.length === 0 && call.viewIds.length > 0) throw gone("The view");
    await Promise.all(views.map((view) => view.resume()));
    this.#piped.want(views);
    return {};
  }

  /**
   * Pauses, plays or re-ranks views.
   * @throws CallError `gone` where none is here, `invalid` where one is another's
   */
  async updateViews(call: CallOf<"update-views">): Promise<CallResult<"update-views">> {
    const found = call.views.flatMap(({ viewId, ...wishes }) => {
      const view = this.owned(viewId, call.sessionId);
      return view ? { view, wishes } : [];
    });
    if (found.length === 0) throw gone("The view");
    await Promise.all(
      found.map(async ({ view, wishes }) => {
        await view.update(wishes);
        this.#layerWishes.changed(view);
      }),
    );
    return {};
  }

  /** The view of an id, if it is here, whosever it is. */
  find(viewId: string): View | undefined {
    return this.#views.get(viewId);
  }

  /**
   * A session's view, if it is here.
   * @throws CallError `invalid` where it is another session's
   */
  owned(viewId: string, sessionId: string): View | undefined {
    const view = this.#views.get(viewId);
    if (view && view.transport.sessionId !== sessionId) {
      throw new CallError("invalid", `View ${viewId} is not session ${sessionId}'s.`);
    }
    return view;
  }

  /** Closes a view and its consumers; closing it again is harmless. */
  closeView(viewId: string): void {
    const view = this.#views.get(viewId);
    if (!view) return;
    this.#views.delete(viewId);
    view.close();
    this.#layerWishes.changed(view);
    this.#idleness.check(view.transport);
  }

  /**
   * Closes what watched a broadcast on one worker through a pipe that is closed,
   * so that their transports do not wait for consumers that never come.
   */
  closeViewsOf(broadcastId: string, consumer: WorkerRef, generation: number): void {
    for (const view of this.all) {
      const { life } = view.transport;
      if (view.broadcastId !== broadcastId || view.generation > generation) continue;
      if (life.incarnation === consumer.incarnation) this.closeView(view.viewId);
    }
  }

  /** Tells control about views of a connected transport, each once. */
  reportActive(transport: ClientTransport): void {
    if (transport.webRtc.dtlsState !== "connected") return;
    const all = this.viewsOn(transport);
    // First, as pictures wait for it.
    this.#piped.want(all);
    const views = all.filter((view) => view.ready && !view.reportedActive);
    if (views.length === 0) return;
    for (const view of views) view.reportedActive = true;
    const { roomId, sessionId } = transport;
    const viewIds = views.map((view) => view.viewId);
    this.#context.emit({ kind: "views-active", roomId, sessionId, viewIds });
  }

  /** Does work for which a transport has to stay, even if no view is on it yet. */
  during<Result>(transportId: string, work: () => Promise<Result>): Promise<Result> {
    return this.#idleness.during(transportId, work);
  }

  /** Has a transport closed after a while where no view is on it. */
  checkIdle(transport: ClientTransport): void {
    this.#idleness.check(transport);
  }

  /** The views that a transport carries. */
  viewsOn(transport: ClientTransport): View[] {
    return this.all.filter((view) => view.transport === transport);
  }

  /** Forgets the views of a transport that was closed. */
  transportClosed(transport: ClientTransport): void {
    this.#idleness.forget(transport);
    for (const view of this.viewsOn(transport)) {
      view.closed = true;
      this.#views.delete(view.viewId);
      this.#layerWishes.changed(view);
    }
  }

  /** The registration is over. */
  close(): void {
    this.#layerWishes.close();
  }

  /**
   * Makes a view's consumers on its transport.
   * @param pipe what it consumes, or why that is not there
   * @param capabilities the client's, as mediasoup takes them
   * @param hold whether the consumers wait, paused, for `resume-views`
   */
  async serve(
    transport: ClientTransport,
    asked: AskedView,
    pipe: IncomingPipe | Error | undefined,
    capabilities: RtpCapabilitiesWire,
    hold: boolean,
  ): Promise<WatchedView> {
    const { viewId } = asked;
    try {
      if (!pipe || pipe instanceof Error) throw pipe ?? new Error("No pipe was made.");
      const rtpCapabilities = capabilities as types.RtpCapabilities;
      return await this.#queues.run(viewId, async (): Promise<WatchedView> => {
        const view = this.#viewFor(transport, asked);
        const decodable = await view.consume(pipe, rtpCapabilities, hold);
        if (view.closed) throw gone(`View ${viewId}`);
        if (decodable) {
          view.ready = true;
          this.#layerWishes.changed(view);
          return { status: "ready", viewId, consumers: view.describe() };
        }
        if (!view.ready) this.closeView(viewId);
        const reason = "The client decodes none of the broadcast's codecs.";
        return { status: "failed", viewId, code: "cannot-consume", reason };
      });
    } catch (error) {
      const code = error instanceof NoPipeError ? "no-pipe" : "failed";
      const reason = (error as Error).message;
      this.#context.log.warn({ viewId, code, reason }, "view failed");
      const view = this.#views.get(viewId);
      if (view?.transport === transport && !view.ready) this.closeView(viewId);
      return { status: "failed", viewId, code, reason };
    }
  }

  #viewFor(transport: ClientTransport, asked: AskedView): View {
    const { viewId, broadcastId } = asked;
    if (this.#context.generations.isClosed(viewId) || transport.webRtc.closed) {
      throw gone(`View ${viewId}`);
    }
    const present = this.owned(viewId, transport.sessionId);
    if (present?.transport === transport) return present;
    // The session comes on another transport: the view follows it there.
    if (present) this.closeView(viewId);
    const { kinds, paused, pausedKinds = [], preferredLayers, priority } = asked;
    const wishes = { kinds, paused, pausedKinds, preferredLayers, priority };
    const view = new View(viewId, broadcastId, transport, wishes, (event) =>
      this.#context.emit(event),
    );
    this.#views.set(viewId, view);
    return view;
  }
}
