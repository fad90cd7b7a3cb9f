import type { MediaClass } from "#schema/settings.ts";
import { Candidates } from "./candidates.ts";
import type { PassedOver } from "./decision.ts";
import { compare, type Offer, offerOf, type Round, ruleOf } from "./offers.ts";
import type { BroadcastPicture, WorkerPicture } from "./picture-rows.ts";
import type { Search } from "./search.ts";

/**
 * The second step: points for what no free seat could serve. Each round takes
 * the worker that covers most of what is left, then the next, and every round
 * is the same but for what it allows.
 * @returns what was looked at, for the refusals
 */
export function takeNewPoints(search: Search, media: MediaClass): PointsGrounds {
  const wanted = search.remainingOf(media);
  if (wanted.length === 0) return { considered: 0, passedOver: {} };
  const candidates = new Candidates(search, media, wanted);
  const grounds = groundsOf(search, media, candidates);
  const reserves = search.picture.reservedPoints(search.request.roomId).size > 0;
  for (const reserved of reserves ? [true, false] : [false]) {
    takeRound(search, media, candidates, grounds, {
      reserved,
      piped: true,
      quota: false,
    });
    takeRound(search, media, candidates, grounds, {
      reserved,
      piped: false,
      quota: true,
    });
    takeRound(search, media, candidates, grounds, {
      reserved,
      piped: false,
      quota: false,
    });
  }
  // The index lists no host without bandwidth for a pipe, and a host's own
  // broadcasts need none.
  if (search.remainingOf(media).length > 0) {
    candidates.addProducerHosts(search.remainingOf(media));
    const last = { reserved: false, piped: false, quota: false };
    takeRound(search, media, candidates, grounds, last);
  }
  return grounds;
}

export interface PointsGrounds {
  considered: number;
  passedOver: PassedOver;
}

function takeRound(
  search: Search,
  media: MediaClass,
  candidates: Candidates,
  grounds: PointsGrounds,
  round: Round,
): void {
  for (;;) {
    const wanted = search.remainingOf(media);
    if (wanted.length === 0) return;
    let best: Offer | undefined;
    for (const candidate of candidates.byId.values()) {
      const offer = offerOf(search, candidate, wanted, round);
      if (offer && (!best || compare(offer, best, media) < 0)) best = offer;
    }
    if (!round.reserved && !round.piped) {
      const offer = freshOffer(search, media, candidates, wanted, round);
      if (offer && (!best || compare(offer, best, media) < 0)) best = offer;
    }
    if (!best || !takeOffer(search, candidates, best, media, grounds, round)) return;
  }
}

/** The best worker that nothing speaks for but its room: the emptiest that fits. */
function freshOffer(
  search: Search,
  media: MediaClass,
  candidates: Candidates,
  wanted: readonly BroadcastPicture[],
  round: Round,
): Offer | undefined {
  const { picture } = search;
  for (const free of levelsInOrder(search, media)) {
    for (const id of picture.workersWithFree(media, free)) {
      if (candidates.byId.has(id) || search.request.avoid?.has(id)) continue;
      const worker = picture.workers.get(id) as WorkerPicture;
      const quota = candidates.quotaPerWorker;
      const candidate = { worker, piped: new Set<string>(), inRoom: false, quota };
      const offer = offerOf(search, candidate, wanted, round);
      if (offer) return offer;
      // Legs and the producing hosts' budgets are the same from every other worker.
      if (!wanted.some((broadcast) => canLeaveHost(search, broadcast))) return undefined;
    }
  }
  return undefined;
}

/**
 * Cameras open where there is most room to grow. A screen's slot grows to many
 * points, so it opens on the fullest worker that will hold all of it.
 */
function levelsInOrder(search: Search, media: MediaClass): number[] {
  const levels = search.picture.freeLevels(media).filter((free) => free > 0);
  if (media === "camera") return levels;
  const viewers = search.request.roomSize?.viewers ?? 1;
  const need = Math.ceil(viewers / search.picture.seatsOf(media));
  const enough = levels.filter((free) => free >= need).reverse();
  return [...enough, ...levels.filter((free) => free < need)];
}

function canLeaveHost(search: Search, broadcast: BroadcastPicture): boolean {
  return search.overlay.canLeaveHost(search.request.roomId, broadcast);
}

function takeOffer(
  search: Search,
  candidates: Candidates,
  offer: Offer,
  media: MediaClass,
  grounds: PointsGrounds,
  round: Round,
): boolean {
  const { worker } = offer.candidate;
  const kept = candidates.add(worker.id);
  let points = offer.points;
  for (const broadcast of [...offer.piped, ...offer.fresh]) {
    if (points < 1) break;
    const isPiped = offer.candidate.piped.has(broadcast.id);
    const rule = ruleOf(offer, isPiped, media, round);
    if (!search.tryTake(broadcast, worker, 1, isPiped, { rule, ...grounds })) continue;
    points -= 1;
    if (!isPiped && kept) kept.quota -= 1;
  }
  return points < offer.points;
}

function groundsOf(
  search: Search,
  media: MediaClass,
  candidates: Candidates,
): PointsGrounds {
  const { picture } = search;
  const passedOver = picture.closedCounts("consumer", media);
  // The index takes a worker whose free points are all reserved for a full one.
  let reserved = 0;
  for (const { worker } of candidates.byId.values()) {
    if (worker.pointsUsed >= worker.pointsTotal) reserved += 1;
  }
  let considered = reserved;
  for (const free of picture.freeLevels(media)) {
    const count = picture.workersWithFree(media, free).length;
    if (free > 0) considered += count;
    else if (count > reserved) passedOver["no-free-point"] = count - reserved;
  }
  return { considered, passedOver };
}
