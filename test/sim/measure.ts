import { pointsOf } from "#control/placement/weight.ts";
import type { World } from "./world.ts";

/** What a placement has cost, as sums over a world at one moment. */
export interface Sums {
  points: number;
  /** The least points that the same views could cost. */
  bound: number;
  /** Views: pairs of a viewer and a broadcast. */
  pairs: number;
  pipes: number;
  /** Broadcasts that somebody watches. */
  broadcasts: number;
  transports: number;
  /** Sessions that watch somebody. */
  viewers: number;
  /** Pipes per broadcast times transports per viewer of each room, by its pairs. */
  product: number;
  /** The same product over its lower bound, by pairs. */
  productOverBound: number;
}

/** Adds up every room of a world; `screens` says whether they count. */
export function sumUp(world: World): Sums {
  const sums: Sums = {
    points: 0,
    bound: 0,
    pairs: 0,
    pipes: 0,
    broadcasts: 0,
    transports: 0,
    viewers: 0,
    product: 0,
    productOverBound: 0,
  };
  const { picture } = world;
  for (const room of world.rooms.values()) {
    const { pointsPerWorker } = picture.settings.weight;
    let pairs = 0;
    let pipes = 0;
    let broadcasts = 0;
    let transports = 0;
    let viewers = 0;
    let leastWorkers = 0;
    for (const broadcastId of room.broadcasts.keys()) {
      let watching = 0;
      for (const slot of picture.slotsOf(broadcastId)) {
        watching += slot.viewers;
        sums.points += slot.points;
        pipes += 1;
      }
      if (watching === 0) continue;
      const media = picture.broadcasts.get(broadcastId)?.mediaClass ?? "camera";
      const seats = picture.seatsOf(media);
      sums.bound += pointsOf(watching, seats);
      broadcasts += 1;
      pairs += watching;
      leastWorkers += watching / (seats * pointsPerWorker);
    }
    for (const session of room.sessions) {
      const workers = new Set(session.views.values()).size;
      transports += workers;
      if (workers > 0) viewers += 1;
    }
    sums.pairs += pairs;
    sums.pipes += pipes;
    sums.broadcasts += broadcasts;
    sums.transports += transports;
    sums.viewers += viewers;
    if (pairs === 0) continue;
    const product = (pipes / broadcasts) * (transports / viewers);
    sums.product += product * pairs;
    sums.productOverBound += (product / Math.max(1, leastWorkers)) * pairs;
  }
  return sums;
}

/** The mean of sums over several moments, as the figures that reports show. */
export function figuresOf(samples: readonly Sums[]) {
  const total = (key: keyof Sums) => samples.reduce((sum, each) => sum + each[key], 0);
  return {
    pointsOverBound: total("points") / total("bound"),
    pipesPerBroadcast: total("pipes") / total("broadcasts"),
    transportsPerViewer: total("transports") / total("viewers"),
    pipeTransportOverBound: total("productOverBound") / total("pairs"),
  };
}
