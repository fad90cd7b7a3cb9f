import type { types } from "mediasoup";
import type { DryPair } from "#schema/agent/control.ts";
import { refOf } from "./context.ts";
import type { Media } from "./media.ts";
import type { Pair } from "./pairs.ts";

interface Level {
  bytes: number;
  /** Milliseconds of uptime at which this many had come. */
  sinceMs: number;
}

/** Broadcasts that are named with a dry pair at most. */
const namedMax = 8;

/**
 * Notices pairs on which nothing at all comes from the other host, neither media nor
 * RTCP. Whoever is sent to goes on telling what it received, every second, as long as
 * a leg is open: its silence is the host's or the network's. Whoever sends says
 * nothing while its source does not: so what is expected of it is told along, and
 * control asks the source's host. What is muted or paused is expected from nobody.
 */
export class DryPairs {
  readonly #levels = new WeakMap<Pair, Level>();

  /**
   * Takes in what had come on a pair by now, media and RTCP together.
   * @param nowMs milliseconds of uptime
   * @returns the pair, where nothing has come for too long and something should
   */
  async note(media: Media, pair: Pair, bytes: number, nowMs: number): Promise<DryPair[]> {
    const before = this.#levels.get(pair);
    if (before?.bytes === bytes) {
      const hears = await isReceived(media, pair);
      const expected = hears ? [] : await expectedOn(media, pair);
      if (hears || expected.length > 0) {
        if (nowMs - before.sinceMs < media.context.timing.pairDryMs) return [];
        return [{ own: refOf(media.context, pair.own), peer: pair.peer, expected }];
      }
    }
    this.#levels.set(pair, { bytes, sinceMs: nowMs });
    return [];
  }
}

/** Whether the peer has been sent something on a leg that is open still. */
async function isReceived(media: Media, pair: Pair): Promise<boolean> {
  for (const pipe of media.legs.all) {
    if (pipe.pair !== pair) continue;
    for (const leg of pipe.legs.values()) if (await hasCarried(leg)) return true;
  }
  return false;
}

/** The broadcasts that have come by the pair and are neither muted nor held. */
async function expectedOn(media: Media, pair: Pair): Promise<string[]> {
  const expected = new Set<string>();
  for (const pipe of media.piped.all) {
    if (pipe.pair !== pair) continue;
    for (const { producer, held } of pipe.tracks.values()) {
      if (expected.size >= namedMax) return [...expected];
      if (producer.paused || held || !(await hasCarried(producer))) continue;
      expected.add(pipe.broadcastId);
    }
  }
  return [...expected];
}

async function hasCarried(carrier: types.Producer | types.Consumer): Promise<boolean> {
  if (carrier.closed) return false;
  const stats: { packetCount?: number }[] = await carrier.getStats();
  return stats.some(({ packetCount = 0 }) => packetCount > 0);
}
