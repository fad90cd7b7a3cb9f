import type { types } from "mediasoup-client";
import type { Watched } from "#schema/api/media.ts";
import { backoffMs, delay } from "./backoff.ts";
import { asWeirError, isPassing, type WeirError } from "./errors.ts";
import type { Feed } from "./feed.ts";
import type { Link } from "./link.ts";
import type { View } from "./view.ts";

/** So many consumers are set up before the first keyframe for them arrives. */
const soonSetUp = 6;

/** A view that an answer grants, with its seat's media. */
export type GrantedView = Extract<Watched["views"][number], { status: "ready" }>;

export interface OpenViewsHost {
  /** The view of a broadcast, or undefined where it is not wanted any more. */
  wanted(broadcastId: string): View | undefined;
  /** Its consumers are set up; on a transport that was there they still wait. */
  opened(view: View, feed: Feed): void;
  /** Media flows into the feed, or will as soon as its transport is connected. */
  flowing(view: View, feed: Feed): void;
  failed(view: View, feed: Feed, error: WeirError): void;
}

interface Opened {
  view: View;
  feed: Feed;
  status: GrantedView;
}

/**
 * Takes in the media that an answer grants: all consumers at once, and one resume
 * for each transport whose consumers were made paused.
 */
export async function openViews(
  link: Link,
  granted: readonly GrantedView[],
  host: OpenViewsHost,
): Promise<void> {
  const early = resumeEarly(
    link,
    granted.filter(({ broadcastId }) => host.wanted(broadcastId)),
  );
  // Started together, so that each transport negotiates its consumers in one go.
  const opening = granted.map(async (status): Promise<Opened[]> => {
    const view = host.wanted(status.broadcastId);
    if (!view) {
      link.api.stopView(status.id).catch(() => {});
      return [];
    }
    const feed = view.feedFor(status);
    try {
      await openFeed(link, view, feed, status);
    } catch (error) {
      if (!link.closed && view.holds(feed)) host.failed(view, feed, asWeirError(error));
      return [];
    }
    if (!view.holds(feed)) return [];
    host.opened(view, feed);
    return [{ view, feed, status }];
  });
  const opened = (await Promise.all(opening)).flat();
  const byTransport = Map.groupBy(opened, ({ status }) => status.transportId);
  const resuming = [...byTransport].map(async ([transportId, all]) => {
    const waiting = all.filter(({ status }) => status.consumers.some((c) => c.paused));
    const views = waiting.map(({ status }) => status.id);
    const resumed = early.get(transportId) ?? tryToResume(link, transportId, views);
    const error = await resumed;
    if (error && link.closed) return;
    if (error) {
      for (const { view, feed } of waiting) {
        if (view.holds(feed)) host.failed(view, feed, error);
      }
    }
    for (const { view, feed } of all) if (view.holds(feed)) host.flowing(view, feed);
  });
  await Promise.all(resuming);
}

/**
 * Has a few consumers resumed while they are being set up here: their keyframe comes
 * a request, a frame and its encoding later, and finds them ready. One that did not
 * would have to be asked for again, so what takes long to set up waits for that.
 * @returns what became of it, by transport
 */
function resumeEarly(link: Link, ready: readonly GrantedView[]) {
  const early = new Map<string, Promise<WeirError | undefined>>();
  for (const [transportId, all] of Map.groupBy(ready, (one) => one.transportId)) {
    const consumers = all.flatMap((status) => status.consumers);
    const waits = consumers.some(({ paused }) => paused);
    if (!waits || consumers.length > soonSetUp || !link.transports.peek(transportId)) {
      continue;
    }
    const views = all.map(({ id }) => id);
    early.set(transportId, tryToResume(link, transportId, views));
  }
  return early;
}

/**
 * Resumes views; twice does no harm, so a lost answer is simply asked for again.
 * @returns why that failed, if it did
 */
async function tryToResume(
  link: Link,
  transportId: string,
  views: string[],
): Promise<WeirError | undefined> {
  for (let attempt = 0; views.length > 0; attempt++) {
    try {
      await link.run((api) => api.resumeViews(transportId, views));
      return undefined;
    } catch (cause) {
      const error = asWeirError(cause);
      const { code, retryAfterMs = 0 } = error;
      if (link.closed || attempt >= 3 || !isPassing(code)) return error;
      await delay(Math.max(backoffMs(attempt, 300), retryAfterMs));
    }
  }
  return undefined;
}

async function openFeed(link: Link, view: View, feed: Feed, status: GrantedView) {
  const { transports } = link;
  const fresh = status.consumers.filter(
    ({ trackId, id }) => feed.consumers.get(trackId)?.id !== id && !feed.opening.has(id),
  );
  if (fresh.length === 0) return;
  // No await where the transport is there: its consumers must start in this turn.
  const there = transports.peek(status.transportId);
  const transport = there ?? (await transports.receiving(status.transportId));
  const opened = fresh.map(async (parameters) => {
    feed.opening.add(parameters.id);
    try {
      const consumer = await transport.consume({
        id: parameters.id,
        producerId: parameters.trackId,
        kind: parameters.kind,
        rtpParameters: parameters.rtpParameters as types.RtpParameters,
        streamId: feed.streamId,
      });
      transports.follow(transport, consumer.rtpReceiver?.transport);
      // The view may have been closed or lost while its media was being set up.
      view.add(feed, parameters.trackId, consumer);
    } finally {
      feed.opening.delete(parameters.id);
    }
  });
  await Promise.all(opened);
}
