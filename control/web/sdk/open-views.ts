import type { types } from "mediasoup-client";
import type { Watched } from "#schema/api/media.ts";
import { backoffMs, delay } from "./backoff.ts";
import { asWeirError, isPassing, type WeirError } from "./errors.ts";
import type { Link } from "./link.ts";
import type { View } from "./view.ts";

type Ready = Extract<Watched["views"][number], { status: "ready" }>;

export interface OpenViewsHost {
  /** The view of a broadcast, or undefined where it is not wanted any more. */
  wanted(broadcastId: string): View | undefined;
  opened(view: View): void;
  failed(view: View, error: WeirError): void;
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
  const paused = new Map<string, string[]>();
  const ready = watched.views.filter((status) => status.status === "ready");
  // Started together, so that each transport negotiates its consumers in one go.
  const opening = ready.map(async (status) => {
    const view = host.wanted(status.broadcastId);
    if (!view) return void link.api.stopView(status.id).catch(() => {});
    view.id = status.id;
    view.transportId = status.transportId;
    try {
      await openView(link, view, status);
    } catch (error) {
      if (!link.closed && view.id === status.id) host.failed(view, asWeirError(error));
      return;
    }
    if (status.consumers.some((consumer) => consumer.paused)) {
      const views = paused.get(status.transportId) ?? [];
      paused.set(status.transportId, [...views, status.id]);
    }
    if (view.id !== status.id) return;
    view.become("ready");
    host.opened(view);
  });
  await Promise.all(opening);
  const resuming = [...paused].map(async ([transportId, views]) => {
    try {
      await resume(link, transportId, views);
    } catch (error) {
      if (link.closed) return;
      for (const status of ready.filter(({ id }) => views.includes(id))) {
        const view = host.wanted(status.broadcastId);
        if (view?.id === status.id) host.failed(view, asWeirError(error));
      }
    }
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

async function openView(link: Link, view: View, status: Ready): Promise<void> {
  const { transports } = link;
  // No await where the transport is there: its consumers must start in this turn.
  const there = transports.peek(status.transportId);
  const transport = there ?? (await transports.receiving(status.transportId));
  const fresh = status.consumers.filter(
    ({ trackId, id }) => view.consumers.get(trackId)?.id !== id,
  );
  const opened = fresh.map(async (parameters) => {
    const consumer = await transport.consume({
      id: parameters.id,
      producerId: parameters.trackId,
      kind: parameters.kind,
      rtpParameters: parameters.rtpParameters as types.RtpParameters,
      // Browsers play the tracks of one stream in step: sound follows lips.
      streamId: status.broadcastId,
    });
    transports.follow(transport, consumer.rtpReceiver?.transport);
    // The view may have been closed or lost while its media was being set up.
    if (view.id === status.id) view.add(parameters.trackId, consumer);
    else consumer.close();
  });
  await Promise.all(opened);
}
