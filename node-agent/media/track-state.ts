import type { types } from "mediasoup";
import type { Logger } from "pino";
import type { TrackWanted } from "../instructions/generations.ts";

/**
 * Brings a producer to a track's wanted state. mediasoup keeps the order in
 * which it is asked, so nobody has to wait.
 */
export function setWanted(
  producer: types.Producer,
  wanted: TrackWanted,
  log: Logger,
): void {
  if (wanted === "closed") {
    producer.close();
    return;
  }
  const change = wanted === "paused" ? producer.pause() : producer.resume();
  change.catch((error: unknown) => {
    // A producer that closed meanwhile needs no pausing.
    if (!producer.closed)
      log.error({ producerId: producer.id, err: error }, "mute failed");
  });
}
