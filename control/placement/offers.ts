import type { MediaClass } from "#schema/settings.ts";
import type { Candidate } from "./candidates.ts";
import type { BroadcastPicture } from "./picture-rows.ts";
import type { Search } from "./search.ts";

/** One round over the same candidates, from the strictest to the last resort. */
export interface Round {
  /** Only points that the room has reserved. */
  reserved: boolean;
  /** Only broadcasts whose producer worker is short of legs, only where a pipe is. */
  piped: boolean;
  /** Leave room for the slots of a worker to grow. */
  quota: boolean;
}

/** What one worker could take of what is wanted. */
export interface Offer {
  candidate: Candidate;
  points: number;
  piped: BroadcastPicture[];
  fresh: BroadcastPicture[];
  covered: number;
  own: boolean;
}

/** What one worker could take of what is wanted, or nothing. */
export function offerOf(
  search: Search,
  candidate: Candidate,
  wanted: readonly BroadcastPicture[],
  round: Round,
): Offer | undefined {
  const { overlay } = search;
  const { worker } = candidate;
  const free = search.freePoints(worker);
  const points = round.reserved
    ? Math.min(free, overlay.reservedPoints(search.request.roomId, worker))
    : free;
  if (points < 1) return undefined;
  const piped: BroadcastPicture[] = [];
  const fresh: BroadcastPicture[] = [];
  const quota = round.quota ? candidate.quota : points;
  for (const broadcast of wanted) {
    const isPiped = candidate.piped.has(broadcast.id);
    if (round.piped && !(isPiped && isShortOfLegs(search, broadcast))) continue;
    if (!isPiped && fresh.length >= quota) continue;
    if (search.misfit(broadcast, worker, isPiped)) continue;
    (isPiped ? piped : fresh).push(broadcast);
  }
  const covered = Math.min(points, piped.length + fresh.length);
  if (covered < 1 || !search.isOpen(worker)) return undefined;
  return {
    candidate,
    points,
    piped,
    fresh,
    covered,
    own: search.ownWorkers.has(worker.id),
  };
}

function isShortOfLegs(search: Search, broadcast: BroadcastPicture): boolean {
  const producer = search.picture.workers.get(broadcast.producerWorkerId);
  const { preferPipedFromShare } = search.picture.settings.weight;
  return !producer || search.overlay.legsShare(producer) >= preferPipedFromShare;
}

/**
 * Negative where `a` is the better offer: the one that opens least for each view
 * it covers. Covering more at once, pipes already there and carrying the viewer
 * already all make an offer cheaper, and each as far as it saves something.
 */
export function compare(a: Offer, b: Offer, media: MediaClass): number {
  const cost = openingCost(a) / a.covered - openingCost(b) / b.covered;
  if (cost !== 0) return cost;
  if (a.covered !== b.covered) return b.covered - a.covered;
  if (a.candidate.inRoom !== b.candidate.inRoom) return a.candidate.inRoom ? -1 : 1;
  if (a.points !== b.points) {
    return media === "camera" ? b.points - a.points : a.points - b.points;
  }
  return a.candidate.worker.id < b.candidate.worker.id ? -1 : 1;
}

/**
 * A pipe is work for two hosts for as long as anybody watches, and a broadcast on
 * fewer workers leaves fewer half-empty points behind: it weighs four transports.
 */
function openingCost(offer: Offer): number {
  const pipes = offer.covered - Math.min(offer.piped.length, offer.covered);
  return 4 * pipes + (offer.own ? 0 : 1);
}

/** The name under which a decision is explained. */
export function ruleOf(
  offer: Offer,
  piped: boolean,
  media: MediaClass,
  round: Round,
): string {
  if (round.reserved) return piped ? "reserved-point-beside-pipe" : "reserved-point";
  if (piped) return "point-beside-pipe";
  if (offer.own) return "point-own-worker";
  if (offer.candidate.inRoom) return "point-in-room";
  return media === "screen" ? "point-best-fit" : "point-most-room";
}
