import type { Settings } from "#schema/settings.ts";
import type { RoomSize } from "./decision.ts";
import { pointsOf } from "./weight.ts";

/** How a full room is laid out over consumer workers. */
export interface Spread {
  /** Points of the full room's cameras: its weight. */
  points: number;
  /** Broadcasts that the room starts on one worker. */
  broadcastsPerWorker: number;
  /** Receiving transports of one viewer, and pipes of one broadcast, when full. */
  transportsPerViewer: number;
  pipesPerBroadcast: number;
}

/**
 * How many of its broadcasts a room starts on one worker, so that each slot has
 * the points to grow beside the pipe that it has. A room on K workers needs
 * (pipes per broadcast) x (transports per viewer) >= K; as a pipe works on two
 * hosts and a transport on one, viewers get about sqrt(2K) transports. The share
 * divides a worker's points, or the last of them would be of no use to it.
 */
export function spreadOf(size: RoomSize, settings: Settings): Spread {
  const { pointsPerWorker, seatsPerPoint } = settings.weight;
  const pointsPerBroadcast = pointsOf(size.viewers, seatsPerPoint.camera);
  const points = size.broadcasts * pointsPerBroadcast;
  const even = size.broadcasts / Math.max(1, Math.sqrt((2 * points) / pointsPerWorker));
  const distance = (share: number) => Math.abs(Math.log(share / even));
  let best = 1;
  for (let share = 2; share <= pointsPerWorker; share += 1) {
    if (pointsPerWorker % share === 0 && distance(share) < distance(best)) best = share;
  }
  return {
    points,
    broadcastsPerWorker: best,
    transportsPerViewer: Math.ceil(size.broadcasts / best),
    pipesPerBroadcast: Math.ceil((pointsPerBroadcast * best) / pointsPerWorker),
  };
}
