import type { MediaClass, Settings, WorkerRole } from "#schema/settings.ts";
import { addToSet, dropFromSet } from "./picture-maps.ts";
import type { NodePicture, WorkerPicture } from "./picture-rows.ts";
import { nominalKbps } from "./weight.ts";
import { type Closed, WorkerIndex } from "./worker-index.ts";

/**
 * The hosts and workers of a zone with what is used of each, and an index for
 * each question that placement asks of them. `RoomPicture`
 * and `Picture` add what uses them.
 */
export class FleetPicture {
  readonly settings: Settings;
  readonly nodes = new Map<string, NodePicture>();
  readonly workers = new Map<string, WorkerPicture>();
  readonly #workersByNode = new Map<string, Set<string>>();
  readonly #producersOfRoom = new Map<string, Set<string>>();
  /** By node: kbit/s for seats that rooms have reserved and nobody sits in. */
  readonly #idleKbps = new Map<string, number>();
  readonly #index = new WorkerIndex();

  constructor(settings: Settings) {
    this.settings = settings;
  }

  /** Adds a node, or takes in what changed about it. */
  putNode(node: NodePicture): void {
    this.nodes.set(node.id, node);
    this.#refileNode(node.id);
  }

  /**
   * Adds a worker, or takes in what changed about it. What is used of a known
   * worker stays as counted here: its rows did not change.
   */
  putWorker(worker: WorkerPicture): void {
    const before = this.workers.get(worker.id);
    this.#forgetWorker(worker.id);
    if (before) {
      worker.pointsUsed = before.pointsUsed;
      worker.broadcastsUsed = before.broadcastsUsed;
      worker.legsUsed = before.legsUsed;
    }
    this.workers.set(worker.id, worker);
    addToSet(this.#workersByNode, worker.nodeId, worker.id);
    this.#dedicate(worker, worker.dedicatedTo);
    this.#refile(worker);
  }

  /** Makes a producer worker a room's own, or everyone's again. */
  dedicate(workerId: string, roomId: string | undefined): void {
    const worker = this.workers.get(workerId);
    if (!worker) return;
    this.#dedicate(worker, roomId);
    this.#refile(worker);
  }

  /** Whether a worker may take anything new. */
  isOpen(worker: WorkerPicture): boolean {
    return worker.open && (this.nodes.get(worker.nodeId)?.open ?? false);
  }

  /**
   * Ids of the consumer workers of a class that have exactly `free` points
   * free and could use them: open, with bandwidth for one view and one pipe.
   * Their order depends on the picture's content alone.
   */
  workersWithFree(media: MediaClass, free: number): readonly string[] {
    return this.#index.withFree("consumer", media, free);
  }

  /** The numbers of free points that occur in a class, most first. */
  freeLevels(media: MediaClass): number[] {
    return this.#index.levels("consumer", media);
  }

  /** As `workersWithFree`, for shared and unused producer workers by free broadcasts. */
  producersWithFree(media: MediaClass, free: number): readonly string[] {
    return this.#index.withFree("producer", media, free);
  }

  producerLevels(media: MediaClass): number[] {
    return this.#index.levels("producer", media);
  }

  /** How many workers of a role and class can take nothing new, by reason. */
  closedCounts(role: WorkerRole, media: MediaClass): Record<string, number> {
    return this.#index.closedCounts(role, media);
  }

  workersOnNode(nodeId: string): ReadonlySet<string> {
    return this.#workersByNode.get(nodeId) ?? noWorkers;
  }

  /** The producer workers that are a room's own. */
  producersOf(roomId: string): ReadonlySet<string> {
    return this.#producersOfRoom.get(roomId) ?? noWorkers;
  }

  protected changePointsUsed(worker: WorkerPicture, by: number): void {
    if (by === 0) return;
    worker.pointsUsed += by;
    this.#refile(worker);
  }

  protected changeBroadcastsUsed(worker: WorkerPicture, by: number): void {
    worker.broadcastsUsed += by;
    this.#refile(worker);
  }

  /** Egress in kbit/s that a node has kept for reserved seats without a viewer. */
  idleEgressKbps(nodeId: string): number {
    return this.#idleKbps.get(nodeId) ?? 0;
  }

  protected chargeNode(
    nodeId: string,
    egressKbps: number,
    ingressKbps: number,
    idleKbps = 0,
  ): void {
    const node = this.nodes.get(nodeId);
    if (!node) return;
    const before = this.#starvation(node);
    node.egressUsedKbps += egressKbps;
    node.ingressUsedKbps += ingressKbps;
    if (idleKbps !== 0) {
      this.#idleKbps.set(nodeId, this.idleEgressKbps(nodeId) + idleKbps);
    }
    // Its workers move in the index only where a budget runs out or comes back.
    if (this.#starvation(node) !== before) this.#refileNode(nodeId);
  }

  /** What a node has too little bandwidth for, as bits. */
  #starvation(node: NodePicture): number {
    const { camera, screen } = this.settings.nominalKbps;
    const egress = this.#openEgress(node);
    const ingress = node.ingressKbps - node.ingressUsedKbps;
    return (
      (egress < camera.view ? 1 : 0) +
      (egress < screen.view ? 2 : 0) +
      (ingress < camera.leg ? 4 : 0) +
      (ingress < screen.leg ? 8 : 0)
    );
  }

  /** Egress that is neither used nor kept for a reservation. */
  #openEgress(node: NodePicture): number {
    return node.egressKbps - node.egressUsedKbps - this.idleEgressKbps(node.id);
  }

  #refileNode(nodeId: string): void {
    for (const id of this.workersOnNode(nodeId)) {
      const worker = this.workers.get(id);
      if (worker) this.#refile(worker);
    }
  }

  #refile(worker: WorkerPicture): void {
    const free =
      worker.role === "consumer"
        ? worker.pointsTotal - worker.pointsUsed
        : worker.broadcastsTotal - worker.broadcastsUsed;
    this.#index.file(
      worker.id,
      worker.role,
      worker.mediaClass,
      free,
      this.#closed(worker),
    );
  }

  #closed(worker: WorkerPicture): Closed | undefined {
    const node = this.nodes.get(worker.nodeId);
    if (node?.closedReason === "quota" && worker.open) return "no-quota";
    const named = namedReasons.find((reason) => reason === node?.closedReason);
    if (named && worker.open) return named;
    if (!node || !this.isOpen(worker)) return "closed";
    if (worker.dedicatedTo !== undefined) return "other-room";
    const { view, leg } = nominalKbps(this.settings, worker.mediaClass);
    if (worker.role === "consumer" && this.#openEgress(node) < view) return "no-egress";
    return node.ingressKbps - node.ingressUsedKbps < leg ? "no-ingress" : undefined;
  }

  #dedicate(worker: WorkerPicture, roomId: string | undefined): void {
    if (worker.dedicatedTo) {
      dropFromSet(this.#producersOfRoom, worker.dedicatedTo, worker.id);
    }
    worker.dedicatedTo = roomId;
    if (roomId) addToSet(this.#producersOfRoom, roomId, worker.id);
  }

  #forgetWorker(workerId: string): void {
    const before = this.workers.get(workerId);
    if (!before) return;
    dropFromSet(this.#workersByNode, before.nodeId, workerId);
    if (before.dedicatedTo) {
      dropFromSet(this.#producersOfRoom, before.dedicatedTo, workerId);
    }
  }
}

/** Reasons for which a host takes nothing new that are told apart. */
const namedReasons = ["draining", "failing", "suspect"] as const;

const noWorkers: ReadonlySet<string> = new Set();
