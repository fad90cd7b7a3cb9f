import type { MediaClass, WorkerRole } from "#schema/settings.ts";

/** A host as placement sees it. Rates in kbit/s. */
export interface NodePicture {
  id: string;
  /** Takes new work: ready, and neither cordoned nor draining. */
  open: boolean;
  /** Why it takes none, in a word, where it does not. */
  closedReason?: string;
  egressKbps: number;
  egressUsedKbps: number;
  ingressKbps: number;
  ingressUsedKbps: number;
}

/** One mediasoup worker as placement sees it. */
export interface WorkerPicture {
  id: string;
  nodeId: string;
  role: WorkerRole;
  mediaClass: MediaClass;
  incarnation: string;
  /** False while its CPU guard holds, or it died and has not come back. */
  open: boolean;
  closedReason?: string;
  /** Consumer workers: points, and those granted (unused reserved ones included). */
  pointsTotal: number;
  pointsUsed: number;
  /** Producer workers: broadcasts and outgoing legs. */
  broadcastsTotal: number;
  broadcastsUsed: number;
  legsTotal: number;
  legsUsed: number;
  /** Producer workers: the room to which it is dedicated. */
  dedicatedTo?: string;
}

/** One room's viewers of one broadcast on one consumer worker. */
export interface SlotPicture {
  roomId: string;
  broadcastId: string;
  workerId: string;
  viewers: number;
  points: number;
}

/** A live broadcast: where it is produced, and what it weighs on links. */
export interface BroadcastPicture {
  id: string;
  homeRoomId: string;
  producerWorkerId: string;
  /** The second place of one that moves: where to, or where from. */
  otherWorkerId?: string;
  mediaClass: MediaClass;
}

export type PipeState = "opening" | "open" | "lingering" | "closing";

/** The pipe of one broadcast to one consumer worker. */
export interface PipePicture {
  broadcastId: string;
  producerWorkerId: string;
  consumerWorkerId: string;
  state: PipeState;
  generation: number;
  /** Legs charged to the producer worker, one per track. */
  legs: number;
  /** A generation that is still to be closed, and the worker that still feeds it. */
  oldGeneration?: number;
  oldProducerWorkerId?: string;
}

/** Points that one room keeps on one consumer worker, whether in use or not. */
export interface ReservationPicture {
  roomId: string;
  workerId: string;
  points: number;
}
