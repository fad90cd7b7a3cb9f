import type { BroadcastPicture, WorkerPicture } from "./picture-rows.ts";
import type { Search } from "./search.ts";

/** A worker with free seats of the room, and the broadcasts that have them. */
interface Offer {
  worker: WorkerPicture;
  own: boolean;
  broadcasts: BroadcastPicture[];
  /** Free seats in all: of two offers the fuller one is filled first. */
  seats: number;
}

interface Tally {
  considered: number;
  passedOver: Record<string, number>;
}

/**
 * The first step: seats that are paid for and empty. Greedily from the worker
 * that covers most of what is still wanted, the viewer's own workers first. It
 * costs no point and opens no pipe, so nothing is ever refused or opened while
 * this would do.
 */
export function takeFreeSeats(search: Search): void {
  const tallies = new Map<string, Tally>();
  const offers = [...findOffers(search, tallies).values()];
  while (offers.length > 0 && search.remaining.size > 0) {
    const best = offers.reduce((a, b) => (isBetter(b, a) ? b : a));
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
      const obstacle = !picture.isOpen(worker)
        ? "closed"
        : seats <= 0
          ? "no-free-seat"
          : search.overlay.misfit(broadcast, worker, piped);
      if (obstacle) {
        tally.passedOver[obstacle] = (tally.passedOver[obstacle] ?? 0) + 1;
        continue;
      }
      tally.considered += 1;
      const offer = offers.get(worker.id);
      if (offer) {
        offer.broadcasts.push(broadcast);
        offer.seats += seats;
      } else {
        const own = search.ownWorkers.has(worker.id);
        offers.set(worker.id, { worker, own, broadcasts: [broadcast], seats });
      }
    }
  }
  return offers;
}

function isBetter(a: Offer, b: Offer): boolean {
  if (a.own !== b.own) return a.own;
  if (a.broadcasts.length !== b.broadcasts.length) {
    return a.broadcasts.length > b.broadcasts.length;
  }
  if (a.seats !== b.seats) return a.seats < b.seats;
  return a.worker.id < b.worker.id;
}
