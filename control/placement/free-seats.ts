import type { BroadcastPicture, WorkerPicture } from "./picture-rows.ts";
import type { Search } from "./search.ts";

/** A worker with free seats of the room, and the broadcasts that have them. */
interface Offer {
  worker: WorkerPicture;
  own: boolean;
  broadcasts: BroadcastPicture[];
  /** Free seats a broadcast, on average, when the request came. */
  emptiness: number;
}

interface Tally {
  considered: number;
  passedOver: Record<string, number>;
}

/**
 * The first step: seats that are paid for and empty. The viewer's own workers
 * come first, then those that cover most of what is still wanted. It costs no
 * point and opens no pipe, so nothing is ever refused or opened while this would
 * do.
 */
export function takeFreeSeats(search: Search): void {
  const tallies = new Map<string, Tally>();
  const offers = [...findOffers(search, tallies).values()];
  while (offers.length > 0 && search.remaining.size > 0) {
    const best = bestOf(offers);
    offers.splice(offers.indexOf(best), 1);
    const rule = best.own ? "free-seat-own-worker" : "free-seat";
    for (const broadcast of best.broadcasts) {
      const tally = tallies.get(broadcast.id);
      if (!tally) continue;
      const piped = search.isPiped(broadcast.id, best.worker.id);
      search.tryTake(broadcast, best.worker, 0, piped, { rule, ...tally });
    }
    for (const offer of offers) {
      offer.broadcasts = offer.broadcasts.filter(({ id }) => search.remaining.has(id));
    }
  }
}

function findOffers(search: Search, tallies: Map<string, Tally>): Map<string, Offer> {
  const { picture, request } = search;
  const offers = new Map<string, Offer>();
  for (const broadcast of search.remaining.values()) {
    const tally: Tally = { considered: 0, passedOver: {} };
    tallies.set(broadcast.id, tally);
    for (const slot of picture.slotsOf(broadcast.id)) {
      const worker = picture.workers.get(slot.workerId);
      if (!worker || slot.roomId !== request.roomId) continue;
      const seats = slot.points * picture.seatsOf(worker.mediaClass) - slot.viewers;
      const piped = search.isPiped(broadcast.id, worker.id);
      const obstacle = !search.isOpen(worker)
        ? "closed"
        : seats <= 0
          ? "no-free-seat"
          : search.misfit(broadcast, worker, piped);
      if (obstacle) {
        tally.passedOver[obstacle] = (tally.passedOver[obstacle] ?? 0) + 1;
        continue;
      }
      tally.considered += 1;
      const offer = offers.get(worker.id);
      if (offer) {
        const before = offer.emptiness * offer.broadcasts.length;
        offer.broadcasts.push(broadcast);
        offer.emptiness = (before + seats) / offer.broadcasts.length;
      } else {
        const own = search.ownWorkers.has(worker.id);
        offers.set(worker.id, { worker, own, broadcasts: [broadcast], emptiness: seats });
      }
    }
  }
  return offers;
}

/**
 * Of the offers that cover at least half as much as the widest, the fullest: who
 * fills up the fullest slots lets the emptiest run dry and give their point back.
 */
function bestOf(offers: readonly Offer[]): Offer {
  const hasOwn = offers.some((offer) => offer.own && offer.broadcasts.length > 0);
  const nearest = hasOwn ? offers.filter((offer) => offer.own) : offers;
  const widest = Math.max(...nearest.map((offer) => offer.broadcasts.length));
  return nearest
    .filter((offer) => 2 * offer.broadcasts.length >= widest)
    .reduce((a, b) => (isBetter(b, a) ? b : a));
}

function isBetter(a: Offer, b: Offer): boolean {
  if (a.emptiness !== b.emptiness) return a.emptiness < b.emptiness;
  if (a.broadcasts.length !== b.broadcasts.length) {
    return a.broadcasts.length > b.broadcasts.length;
  }
  return a.worker.id < b.worker.id;
}
