import type { types } from "mediasoup-client";
import type { BroadcastInfo } from "#schema/events.ts";
import { asWeirError } from "./errors.ts";
import type { Feed } from "./feed.ts";
import type { Link } from "./link.ts";
import type { View } from "./view.ts";

const lookEveryMs = 1000;
/** Nothing came for this long: the view is stalled, and says so. */
const stalledAfterMs = 2500;
/** For this long, though the connection stands: the server is told. */
const lostAfterMs = 5000;
/**
 * It is told again after this, doubled each time: what another seat does not mend
 * may be a source that sends nothing, and not the server's fault.
 */
const toldAgainMs = 15_000;
const toldAgainMaxMs = 600_000;

export interface FlowWatchHost {
  /** The session's link, or undefined while the room is entered again. */
  link(): Link | undefined;
  views: ReadonlyMap<string, View>;
  broadcasts: ReadonlyMap<string, BroadcastInfo>;
  /** The server has no seat for a view that is shown here. */
  missed(view: View): void;
}

interface Flow {
  packets: number;
  /** Which tracks were counted: with others, counting begins anew. */
  counted: string;
  /** `performance.now()` of the last packet that was seen to have come. */
  flowedAtMs: number;
}

interface Told {
  atMs: number;
  times: number;
}

/**
 * Watches whether media that should arrive does. A server may fail in ways that
 * nobody notices but who waits for its pictures: they are told to control, which
 * moves them.
 */
export class FlowWatch {
  readonly #host: FlowWatchHost;
  readonly #flows = new WeakMap<Feed, Flow>();
  /** What the server was told, by broadcast. */
  readonly #told = new Map<string, Told>();
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(host: FlowWatchHost) {
    this.#host = host;
    this.#timer = setInterval(() => void this.#look(), lookEveryMs);
  }

  /** Watches no more. */
  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const link = this.#host.link();
    if (!link) return;
    const ready = [...this.#host.views.values()].filter(({ state }) => state === "ready");
    const looking = [...Map.groupBy(ready, ({ transportId }) => transportId)].map(
      async ([transportId, views]) => {
        const transport = link.transports.peek(transportId ?? "");
        if (!transport || transport.closed) return;
        const packets = await packetsBySsrc(transport);
        // While one's own connection is cut off, the server is not to blame, unless
        // control could not reach the transport either.
        const isServers =
          transport.connectionState === "connected" ||
          link.transports.isUnanswered(transport.id);
        for (const view of views) this.#weigh(link, view, packets, isServers);
      },
    );
    await Promise.all(looking);
  }

  #weigh(link: Link, view: View, packets: Map<number, number>, isServers: boolean): void {
    const { feed } = view;
    if (!feed || view.state !== "ready" || link.closed) return;
    const expected = this.#expected(view, feed);
    const counted = expected.map(({ id }) => id).join(" ");
    let sum = 0;
    for (const { rtpParameters } of expected) {
      sum += packets.get(rtpParameters.encodings?.[0]?.ssrc ?? 0) ?? 0;
    }
    const nowMs = performance.now();
    const before = this.#flows.get(feed);
    const same = before && before.counted === counted;
    // While its broadcaster is cut off, nothing should come: counted from then on.
    const interrupted = this.#host.broadcasts.get(view.broadcastId)?.interrupted;
    if (!same || before.packets !== sum || expected.length === 0 || interrupted) {
      this.#flows.set(feed, { packets: sum, counted, flowedAtMs: nowMs });
      view.stall(false);
      return;
    }
    const silentMs = nowMs - before.flowedAtMs;
    view.stall(silentMs >= stalledAfterMs);
    if (silentMs < lostAfterMs || !isServers || view.moving) return;
    if (!this.#isDue(view.broadcastId, nowMs)) return;
    void this.#report(link, view, feed);
  }

  async #report(link: Link, view: View, feed: Feed): Promise<void> {
    try {
      await link.run((api) => api.reportLost(feed.viewId));
    } catch (error) {
      const isGone = asWeirError(error).code === "not-found";
      if (isGone && !link.closed && view.holds(feed)) this.#host.missed(view);
    }
  }

  #isDue(broadcastId: string, nowMs: number): boolean {
    const { atMs, times } = this.#told.get(broadcastId) ?? { atMs: 0, times: 0 };
    const againMs = Math.min(toldAgainMs * 2 ** (times - 1), toldAgainMaxMs);
    const sinceMs = nowMs - atMs;
    if (times > 0 && sinceMs < againMs) return false;
    // What went well for as long as the longest pause begins anew.
    const next = sinceMs > toldAgainMaxMs ? 1 : times + 1;
    this.#told.set(broadcastId, { atMs: nowMs, times: next });
    return true;
  }

  /** The consumers that bring something unless something is wrong. */
  #expected(view: View, feed: Feed): types.Consumer[] {
    const tracks = this.#host.broadcasts.get(view.broadcastId)?.tracks ?? [];
    const muted = new Set(tracks.flatMap(({ id, paused }) => (paused ? [id] : [])));
    return [...feed.consumers].flatMap(([trackId, consumer]) => {
      const wanted = consumer.kind === "video" ? view.picture : !view.options.soundOff;
      return wanted && !muted.has(trackId) && !consumer.closed ? [consumer] : [];
    });
  }
}

async function packetsBySsrc(transport: types.Transport): Promise<Map<number, number>> {
  const packets = new Map<number, number>();
  const report = await transport.getStats().catch(() => undefined);
  for (const entry of report?.values() ?? []) {
    if (entry.type !== "inbound-rtp") continue;
    const { ssrc, packetsReceived = 0 } = entry as RTCInboundRtpStreamStats;
    packets.set(ssrc, packetsReceived);
  }
  return packets;
}
