import type { MediaClass, Settings } from "#schema/settings.ts";

/**
 * Points that `viewers` views of one broadcast cost on one consumer worker.
 * @param viewers whole number of views, 0 or more
 * @param seats views that one point carries
 * @returns ceil(viewers / seats): 0 for nobody
 */
export function pointsOf(viewers: number, seats: number): number {
  return Math.ceil(viewers / seats);
}

/** Places that a slot has paid for and nobody sits in. */
export function freeSeatsOf(viewers: number, seats: number): number {
  return pointsOf(viewers, seats) * seats - viewers;
}

/**
 * The nominal kbit/s that one view of a class adds to its node's egress, and
 * one pipe to the producer node's egress and the consumer node's ingress.
 */
export function nominalKbps(settings: Settings, media: MediaClass) {
  return settings.nominalKbps[media];
}
