import type { ProblemCode } from "#schema/problems.ts";
import type { BroadcastPlacement, BroadcastRequest } from "./decision.ts";
import type { Picture } from "./picture.ts";
import type { WorkerPicture } from "./picture-rows.ts";
import { nominalKbps } from "./weight.ts";

/**
 * Finds the producer worker for one more broadcast of a room. Screens are
 * always on shared workers, whatever the room's cameras have.
 * @returns the worker, or what is missing
 */
export function placeBroadcast(
  request: BroadcastRequest,
  picture: Picture,
): BroadcastPlacement {
  const choice = new Choice(request, picture);
  return request.dedicated && request.mediaClass === "camera"
    ? choice.dedicated()
    : choice.shared();
}

class Choice {
  readonly #request: BroadcastRequest;
  readonly #picture: Picture;
  readonly #passedOver: Record<string, number> = {};
  #considered = 0;

  constructor(request: BroadcastRequest, picture: Picture) {
    this.#request = request;
    this.#picture = picture;
  }

  /**
   * The least used of the room's own workers: outgoing legs are the scarcer half
   * of a producer worker and follow its broadcasts. For the same reason a room
   * that may have a second worker gets it when the first is half full.
   */
  dedicated(): BroadcastPlacement {
    const { roomId, producerWorkersMax } = this.#request;
    let own = 0;
    let best: WorkerPicture | undefined;
    for (const id of this.#picture.producersOf(roomId)) {
      const worker = this.#picture.workers.get(id);
      if (worker?.dedicatedTo !== roomId) continue;
      // A worker that died or is overloaded does not keep its room from another.
      if (this.#picture.isOpen(worker)) own += 1;
      if (this.#fits(worker) && (!best || isLessUsed(worker, best))) best = worker;
    }
    const isHalfFull = !best || best.broadcastsUsed * 2 >= best.broadcastsTotal;
    if (own < producerWorkersMax && isHalfFull) {
      const unused = this.#unused();
      if (unused) return this.#answer("producer-dedicated", unused, true);
    }
    if (best) return this.#answer("producer-of-room", best, false);
    return this.#refusal();
  }

  /**
   * The fullest that still has the legs for one more: workers that nobody uses
   * stay whole for the rooms that want one to themselves.
   */
  shared(): BroadcastPlacement {
    const { mediaClass } = this.#request;
    const levels = this.#picture.producerLevels(mediaClass).reverse();
    let scarce: WorkerPicture | undefined;
    for (const free of levels) {
      for (const id of this.#picture.producersWithFree(mediaClass, free)) {
        const worker = this.#picture.workers.get(id);
        if (!worker || !this.#fits(worker)) continue;
        const { legsPerPipe } = this.#picture.settings.weight;
        const share = Math.max(legsPerPipe, worker.legsTotal / worker.broadcastsTotal);
        if (worker.legsTotal - worker.legsUsed >= share) {
          return this.#answer("producer-shared", worker, false);
        }
        scarce ??= worker;
      }
    }
    if (scarce) return this.#answer("producer-shared-few-legs", scarce, false);
    return this.#refusal();
  }

  /** A worker that no room uses, from the index of open ones. */
  #unused(): WorkerPicture | undefined {
    const { mediaClass } = this.#request;
    for (const free of this.#picture.producerLevels(mediaClass)) {
      for (const id of this.#picture.producersWithFree(mediaClass, free)) {
        const worker = this.#picture.workers.get(id);
        // A level holds partly used workers only where totals differ.
        if (worker?.broadcastsUsed === 0 && this.#fits(worker)) return worker;
      }
    }
    return undefined;
  }

  #fits(worker: WorkerPicture): boolean {
    const reason = this.#misfit(worker);
    if (reason) this.#passedOver[reason] = (this.#passedOver[reason] ?? 0) + 1;
    else this.#considered += 1;
    return reason === undefined;
  }

  #misfit(worker: WorkerPicture): string | undefined {
    const node = this.#picture.nodes.get(worker.nodeId);
    if (!node || !this.#picture.isOpen(worker)) return "closed";
    if (this.#request.avoid?.has(worker.id)) return "closed";
    if (worker.broadcastsUsed >= worker.broadcastsTotal) return "no-free-broadcast";
    const { roomId, pipedTo = [] } = this.#request;
    const { legsPerPipe } = this.#picture.settings.weight;
    const legs = legsPerPipe * Math.max(1, pipedTo.length);
    if (worker.legsTotal - worker.legsUsed < legs) return "no-pipe-legs";
    const { leg } = nominalKbps(this.#picture.settings, this.#request.mediaClass);
    if (node.ingressKbps - node.ingressUsedKbps < leg) return "no-ingress";
    const remote = pipedTo.filter((nodeId) => nodeId !== worker.nodeId).length;
    const egressLeft = remote > 0 ? this.#picture.egressLeftFor(roomId, node.id) : 0;
    return remote > 0 && egressLeft < remote * leg ? "no-egress" : undefined;
  }

  #answer(rule: string, worker: WorkerPicture, dedicates: boolean): BroadcastPlacement {
    const grounds = { rule, considered: this.#considered, passedOver: this.#reasons() };
    return { ...grounds, workerId: worker.id, dedicates };
  }

  #refusal(): BroadcastPlacement {
    const passedOver = this.#reasons();
    const { mediaClass } = this.#request;
    let code: ProblemCode =
      mediaClass === "screen" ? "no-screen-capacity" : "no-producer-capacity";
    if (passedOver["no-pipe-legs"]) code = "no-pipe-capacity";
    if (passedOver["no-ingress"] || passedOver["no-egress"]) code = "egress-exhausted";
    return { code, considered: this.#considered, passedOver };
  }

  /** What the index leaves out, and what was looked at and did not fit. */
  #reasons(): Record<string, number> {
    const reasons = this.#picture.closedCounts("producer", this.#request.mediaClass);
    for (const [reason, count] of Object.entries(this.#passedOver)) {
      // A room's own worker that is closed is in both.
      reasons[reason] = Math.max(reasons[reason] ?? 0, count);
    }
    return reasons;
  }
}

function isLessUsed(a: WorkerPicture, b: WorkerPicture): boolean {
  if (a.broadcastsUsed !== b.broadcastsUsed) return a.broadcastsUsed < b.broadcastsUsed;
  return a.id < b.id;
}
