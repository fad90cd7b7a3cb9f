import type { types } from "mediasoup-client";
import type { Watched } from "#schema/api/media.ts";
import { backoffMs, delay } from "./backoff.ts";
import { asWeirError, isPassing, type WeirError } from "./errors.ts";
import type { Feed } from "./feed.ts";
import type { Link } from "./link.ts";
import type { View } from "./view.ts";

type Ready = Extract<Watched["views"][number], { status: "ready" }>;

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
  status: Ready;
}

/**
 * Takes in the media that an answer grants: all consumers at once, then one
 * resume for each transport whose consumers were made paused.
 */
export async function openViews(
  link: Link,
  watched: Watched,
  host: OpenViewsHost,
): Promise<void> {
  const ready = watched.views.filter((status) => status.status === "ready");
  // Started together, so that each transport negotiates its consumers in one go.
  const opening = ready.map(async (status): Promise<Opened[]> => {
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
    try {
      const views = waiting.map(({ status }) => status.id);
      if (views.length > 0) await resume(link, transportId, views);
    } catch (error) {
      if (link.closed) return;
      for (const { view, feed } of waiting) {
        if (view.holds(feed)) host.failed(view, feed, asWeirError(error));
      }
    }
    for (const { view, feed } of all) if (view.holds(feed)) host.flowing(view, feed);
  });
  await Promise.all(resuming);
}

// Resuming twice does no harm, so a lost answer is simply asked for again.
async function resume(link: Link, transportId: string, views: string[]): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return void (await link.run((api) => api.resumeViews(transportId, views)));
    } catch (error) {
      const { code, retryAfterMs = 0 } = asWeirError(error);
      if (link.closed || attempt >= 3 || !isPassing(code)) throw error;
      await delay(Math.max(backoffMs(attempt, 300), retryAfterMs));
    }
  }
}

async function openFeed(link: Link, view: View, feed: Feed, status: Ready) {
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
