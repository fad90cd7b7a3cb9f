import type { Picture } from "./picture.ts";
import type { BroadcastPicture, PipePicture, WorkerPicture } from "./picture-rows.ts";
import { nominalKbps } from "./weight.ts";

/** Why one broadcast cannot be handed out from one worker. */
export type Misfit = "no-egress" | "no-ingress" | "no-producer-egress" | "no-pipe-legs";

/** Whether a pipe can carry a new view: a lingering one is revived, a closing one not. */
export function isUsable(pipe: PipePicture | undefined): boolean {
  return pipe !== undefined && pipe.state !== "closing";
}

/**
 * What one request has taken so far, laid over a picture that stays as it is:
 * several broadcasts of a request may come to the same worker, node or pipe.
 */
export class Overlay {
  readonly #picture: Picture;
  readonly #points = new Map<string, number>();
  readonly #legs = new Map<string, number>();
  readonly #egressKbps = new Map<string, number>();
  readonly #ingressKbps = new Map<string, number>();

  /** What the picture leaves one room of each node: it takes some adding up. */
  readonly #egressOfRoom = new Map<string, number>();
  #roomId = "";

  constructor(picture: Picture) {
    this.#picture = picture;
  }

  /** Points that a room may still take on a worker. */
  freePoints(roomId: string, worker: WorkerPicture): number {
    const taken = this.#points.get(worker.id) ?? 0;
    return this.#picture.freePointsFor(roomId, worker) - taken;
  }

  /** Points of a room's own reservation on a worker that are not in use. */
  reservedPoints(roomId: string, worker: WorkerPicture): number {
    const reserved = this.#picture.reservedPoints(roomId).get(worker.id) ?? 0;
    const inUse = this.#picture.roomPoints(roomId).get(worker.id) ?? 0;
    return reserved - inUse - (this.#points.get(worker.id) ?? 0);
  }

  /** Outgoing legs that a producer worker may still open. */
  legsLeft(worker: WorkerPicture): number {
    return worker.legsTotal - worker.legsUsed - (this.#legs.get(worker.id) ?? 0);
  }

  /** The share of a producer worker's legs that are in use. */
  legsShare(worker: WorkerPicture): number {
    return 1 - this.legsLeft(worker) / worker.legsTotal;
  }

  /**
   * Whether links and budgets carry one more view of a room from a worker.
   * @param piped whether a usable pipe is there already
   * @returns what is missing, or undefined where nothing is
   */
  misfit(
    roomId: string,
    broadcast: BroadcastPicture,
    worker: WorkerPicture,
    piped: boolean,
  ): Misfit | undefined {
    const nominal = nominalKbps(this.#picture.settings, broadcast.mediaClass);
    if (this.#egressLeft(roomId, worker.nodeId) < nominal.view) return "no-egress";
    if (piped) return undefined;
    const producer = this.#picture.workers.get(broadcast.producerWorkerId);
    if (!producer || this.legsLeft(producer) < this.#picture.settings.weight.legsPerPipe)
      return "no-pipe-legs";
    if (producer.nodeId === worker.nodeId) return undefined;
    if (this.#ingressLeft(worker.nodeId) < nominal.leg) return "no-ingress";
    if (this.#egressLeft(roomId, producer.nodeId) < nominal.leg)
      return "no-producer-egress";
    return undefined;
  }

  /** Whether a pipe between two workers could be opened for a room. */
  carriesPipe(roomId: string, producer: WorkerPicture, consumer: WorkerPicture): boolean {
    const { settings } = this.#picture;
    if (this.legsLeft(producer) < settings.weight.legsPerPipe) return false;
    if (producer.nodeId === consumer.nodeId) return true;
    const { leg } = nominalKbps(settings, consumer.mediaClass);
    if (this.#ingressLeft(consumer.nodeId) < leg) return false;
    return this.#egressLeft(roomId, producer.nodeId) >= leg;
  }

  /** Whether a new pipe could leave the producing host at all, wherever it goes. */
  canLeaveHost(roomId: string, broadcast: BroadcastPicture): boolean {
    const producer = this.#picture.workers.get(broadcast.producerWorkerId);
    if (!producer || this.legsLeft(producer) < this.#picture.settings.weight.legsPerPipe)
      return false;
    const { leg } = nominalKbps(this.#picture.settings, broadcast.mediaClass);
    return this.#egressLeft(roomId, producer.nodeId) >= leg;
  }

  /** Takes a view, its points and, where it is not piped, its pipe. */
  take(
    broadcast: BroadcastPicture,
    worker: WorkerPicture,
    points: number,
    piped: boolean,
  ): void {
    const nominal = nominalKbps(this.#picture.settings, broadcast.mediaClass);
    add(this.#points, worker.id, points);
    add(this.#egressKbps, worker.nodeId, nominal.view);
    if (piped) return;
    add(
      this.#legs,
      broadcast.producerWorkerId,
      this.#picture.settings.weight.legsPerPipe,
    );
    const producer = this.#picture.workers.get(broadcast.producerWorkerId);
    if (!producer || producer.nodeId === worker.nodeId) return;
    add(this.#egressKbps, producer.nodeId, nominal.leg);
    add(this.#ingressKbps, worker.nodeId, nominal.leg);
  }

  #egressLeft(roomId: string, nodeId: string): number {
    if (roomId !== this.#roomId) {
      this.#roomId = roomId;
      this.#egressOfRoom.clear();
    }
    let left = this.#egressOfRoom.get(nodeId);
    if (left === undefined) {
      left = this.#picture.egressLeftFor(roomId, nodeId);
      this.#egressOfRoom.set(nodeId, left);
    }
    return left - (this.#egressKbps.get(nodeId) ?? 0);
  }

  #ingressLeft(nodeId: string): number {
    const node = this.#picture.nodes.get(nodeId);
    if (!node) return 0;
    return node.ingressKbps - node.ingressUsedKbps - (this.#ingressKbps.get(nodeId) ?? 0);
  }
}

function add(map: Map<string, number>, key: string, by: number): void {
  map.set(key, (map.get(key) ?? 0) + by);
}
