import type { types } from "mediasoup-client";
import type { MediaKindWire } from "#schema/media.ts";
import { delay } from "./backoff.ts";
import type { ViewReceiving } from "./view-options.ts";

let feedsMade = 0;

// Looked at this often: a picture that waits for it waits no longer.
const lookEveryMs = 40;

/** A seat's media as an answer describes it. */
export interface SeatMedia {
  id: string;
  transportId: string;
  workerId: string;
  consumers: readonly { id: string; trackId: string }[];
}

/** What one seat receives of a broadcast: a consumer for each of its tracks. */
export class Feed {
  readonly viewId: string;
  readonly transportId: string;
  /** The consumer worker that it comes from. */
  readonly workerId: string;
  /** Kinds that the server holds back until it is told otherwise. */
  readonly pausedAtFirst: readonly MediaKindWire[];
  /** What the server sends of its picture. */
  receiving: ViewReceiving = {};
  /** The mediasoup-client consumers, by track id. */
  readonly consumers = new Map<string, types.Consumer>();
  /** Ids of consumers that are being set up. */
  readonly opening = new Set<string>();
  /** `performance.now()` at which the server ends it; undefined while it may stay. */
  runsUntilMs: number | undefined;
  /** Browsers play the tracks of one stream in step: each feed is one of its own. */
  readonly streamId: string;
  #closed = false;

  constructor(seat: SeatMedia, pausedAtFirst: readonly MediaKindWire[]) {
    feedsMade += 1;
    this.viewId = seat.id;
    this.transportId = seat.transportId;
    this.workerId = seat.workerId;
    this.pausedAtFirst = pausedAtFirst;
    this.streamId = `${this.viewId}-${feedsMade}`;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether it is of this seat, and has no consumer that another would replace. */
  takes({ id, transportId, consumers }: SeatMedia): boolean {
    if (this.viewId !== id || this.transportId !== transportId) return false;
    return consumers.every((consumer) => {
      const present = this.consumers.get(consumer.trackId);
      return present === undefined || present.id === consumer.id;
    });
  }

  /** Takes a track's consumer in; one that comes after the end is closed. */
  add(trackId: string, consumer: types.Consumer): void {
    if (this.#closed) consumer.close();
    else this.consumers.set(trackId, consumer);
  }

  /** Lets its consumers go, but for those that another feed has too. */
  close(but?: Feed): void {
    this.#closed = true;
    const kept = new Set(but?.consumers.values());
    for (const consumer of this.consumers.values()) {
      if (!kept.has(consumer)) consumer.close();
    }
  }
}

/**
 * Waits until a feed's first picture was decoded, or its first sound where it has
 * no picture. Tracks that the broadcaster has muted are not waited for.
 * @param isMuted asked again each time, as a track may be muted meanwhile
 * @param untilMs `performance.now()` at which to give up
 * @returns `seen`, `late`, or `closed` where the feed ended first
 */
export async function firstPictureOf(
  feed: Feed,
  isMuted: (trackId: string) => boolean,
  untilMs: number,
): Promise<"seen" | "late" | "closed"> {
  for (;;) {
    if (feed.closed) return "closed";
    const playing = [...feed.consumers].filter(
      ([trackId, { kind }]) => !isMuted(trackId) && !feed.pausedAtFirst.includes(kind),
    );
    const video = playing.filter(([, consumer]) => consumer.kind === "video");
    const awaited = video.length > 0 ? video : playing;
    const there = await Promise.all(awaited.map(([, consumer]) => hasBegun(consumer)));
    if (there.every(Boolean)) return "seen";
    if (performance.now() >= untilMs) return "late";
    await delay(lookEveryMs);
  }
}

async function hasBegun(consumer: types.Consumer): Promise<boolean> {
  if (consumer.closed) return false;
  const report = await consumer.getStats().catch(() => undefined);
  for (const entry of report?.values() ?? []) {
    if (entry.type !== "inbound-rtp") continue;
    const { framesDecoded = 0, packetsReceived = 0 } = entry as RTCInboundRtpStreamStats;
    if (consumer.kind === "video" ? framesDecoded > 0 : packetsReceived > 0) return true;
  }
  return false;
}
