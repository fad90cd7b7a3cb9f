import type { MediaClass } from "#schema/settings.ts";
import { FleetPicture } from "./fleet-picture.ts";
import { setOrDelete } from "./picture-maps.ts";
import type { ReservationPicture, WorkerPicture } from "./picture-rows.ts";
import { nominalKbps } from "./weight.ts";

/**
 * What each room has of the workers: points in use and points reserved, of which the
 * larger number is charged, and the egress that is kept for reserved seats in which
 * nobody sits. `Picture` adds the broadcasts, pipes and slots that it comes from.
 */
export class RoomPicture extends FleetPicture {
  /** Points in use by room and worker, without what is only reserved. */
  readonly #roomPoints = new Map<string, Map<string, number>>();
  readonly #roomViews = new Map<string, Map<string, number>>();
  readonly #reservations = new Map<string, Map<string, number>>();

  /** Views that one point of a class carries. */
  seatsOf(media: MediaClass): number {
    return this.settings.weight.seatsPerPoint[media];
  }

  /** The workers on which a room has points in use, with how many. */
  roomPoints(roomId: string): ReadonlyMap<string, number> {
    return this.#roomPoints.get(roomId) ?? noPoints;
  }

  /** The workers on which a room has points reserved, with how many. */
  reservedPoints(roomId: string): ReadonlyMap<string, number> {
    return this.#reservations.get(roomId) ?? noPoints;
  }

  /** Every reservation of the zone. */
  *reservations(): Iterable<ReservationPicture> {
    for (const [roomId, onWorkers] of this.#reservations) {
      for (const [workerId, points] of onWorkers) yield { roomId, workerId, points };
    }
  }

  /** Sets a room's reservation on a worker; 0 ends it. */
  setReservation({ roomId, workerId, points }: ReservationPicture): void {
    const worker = this.workers.get(workerId);
    const inUse = this.roomPoints(roomId).get(workerId) ?? 0;
    const before = this.reservedPoints(roomId).get(workerId) ?? 0;
    const grown = Math.max(points, inUse) - Math.max(before, inUse);
    const idleBefore = worker ? this.idleKbpsOf(roomId, worker) : 0;
    setOrDelete(this.#reservations, roomId, workerId, points);
    if (!worker) return;
    this.changePointsUsed(worker, grown);
    const idle = this.idleKbpsOf(roomId, worker) - idleBefore;
    this.chargeNode(worker.nodeId, 0, 0, idle);
  }

  /** Egress in kbit/s that a worker's host keeps for a room's reserved seats there. */
  idleKbpsOf(roomId: string, worker: WorkerPicture): number {
    const reserved = this.reservedPoints(roomId).get(worker.id) ?? 0;
    if (reserved === 0) return 0;
    const seated = this.#roomViews.get(roomId)?.get(worker.id) ?? 0;
    const idleSeats = reserved * this.seatsOf(worker.mediaClass) - seated;
    return Math.max(0, idleSeats) * nominalKbps(this.settings, worker.mediaClass).view;
  }

  /** Egress in kbit/s that a room may still take of a node: what others keep is not its. */
  egressLeftFor(roomId: string, nodeId: string): number {
    const node = this.nodes.get(nodeId);
    if (!node) return 0;
    let own = 0;
    for (const workerId of this.reservedPoints(roomId).keys()) {
      const worker = this.workers.get(workerId);
      if (worker?.nodeId === nodeId) own += this.idleKbpsOf(roomId, worker);
    }
    return node.egressKbps - node.egressUsedKbps - this.idleEgressKbps(nodeId) + own;
  }

  /**
   * Points that a room may still take on a worker: the worker's free ones and
   * what the room's own reservation there has left.
   */
  freePointsFor(roomId: string, worker: WorkerPicture): number {
    const reserved = this.reservedPoints(roomId).get(worker.id) ?? 0;
    const inUse = this.roomPoints(roomId).get(worker.id) ?? 0;
    return worker.pointsTotal - worker.pointsUsed + Math.max(0, reserved - inUse);
  }

  /** Adds points (negative: takes away) to what a room has in use on a worker. */
  protected changeRoomPoints(roomId: string, worker: WorkerPicture, by: number): void {
    if (by === 0) return;
    const before = this.roomPoints(roomId).get(worker.id) ?? 0;
    const reserved = this.reservedPoints(roomId).get(worker.id) ?? 0;
    const grown = Math.max(before + by, reserved) - Math.max(before, reserved);
    setOrDelete(this.#roomPoints, roomId, worker.id, before + by);
    this.changePointsUsed(worker, grown);
  }

  /** Adds views (negative: takes away) to those that a room has on a worker. */
  protected changeRoomViews(roomId: string, worker: WorkerPicture, views: number): void {
    const { view } = nominalKbps(this.settings, worker.mediaClass);
    const before = this.idleKbpsOf(roomId, worker);
    const seated = this.#roomViews.get(roomId)?.get(worker.id) ?? 0;
    setOrDelete(this.#roomViews, roomId, worker.id, seated + views);
    const idle = this.idleKbpsOf(roomId, worker) - before;
    this.chargeNode(worker.nodeId, views * view, 0, idle);
  }
}

const noPoints: ReadonlyMap<string, number> = new Map();
