import type { AccountUse } from "../ledger/account-use.ts";
import type { Changes } from "../ledger/changes.ts";
import type { PipePicture } from "../placement/picture-rows.ts";
import { warnOfBudgets, watchQuota } from "./node-state.ts";
import { type DeadlineRow, deadlineKey, type RoomState } from "./state.ts";
import { Telling } from "./telling.ts";

/**
 * One group's work in progress: it changes the state in memory and remembers
 * which rows have to be written. Should the commit fail, the state is thrown
 * away and read again, so nothing here needs undoing.
 */
export class Draft extends Telling {
  readonly #workers = new Set<string>();
  readonly #nodes = new Set<string>();
  readonly #slots = new Map<string, [string, string, string]>();

  /** Rows that the commit would write now. */
  get rows(): number {
    return this.changes.rows + this.#workers.size + this.#nodes.size + this.#slots.size;
  }

  touchWorker(workerId: string): void {
    this.#workers.add(workerId);
    const worker = this.state.picture.workers.get(workerId);
    if (worker) this.#nodes.add(worker.nodeId);
  }

  touchNode(nodeId: string): void {
    this.#nodes.add(nodeId);
  }

  /** What an account holds; nothing, of one that was never heard of. */
  accountUse(accountId: string): AccountUse {
    const { accounts } = this.state;
    const known = accounts.get(accountId) ?? noUse(accountId);
    accounts.set(accountId, known);
    return known;
  }

  touchAccount(use: AccountUse): void {
    this.changes.accounts.set(use.accountId, use);
  }

  /** Takes (or with a negative number gives back) seats of a slot. */
  changeSeats(
    roomId: string,
    broadcastId: string,
    workerId: string,
    views: number,
  ): void {
    this.state.picture.changeSeats(roomId, broadcastId, workerId, views);
    this.#slots.set(`${roomId}|${broadcastId}|${workerId}`, [
      roomId,
      broadcastId,
      workerId,
    ]);
    this.touchWorker(workerId);
    const worker = this.state.picture.workers.get(workerId);
    if (worker) watchQuota(this, worker.nodeId);
    if (views < 0) this.capacityAppeared();
  }

  /** Sets the points that a room keeps on a worker; 0 ends the reservation. */
  setReservation(room: RoomState, workerId: string, points: number): void {
    const { id: roomId, accountId } = room.row;
    const before = this.state.picture.reservedPoints(roomId).get(workerId) ?? 0;
    const use = this.accountUse(accountId);
    use.pointsReserved += points - before;
    this.touchAccount(use);
    this.state.picture.setReservation({ roomId, workerId, points });
    if (points > 0) this.changes.reservations.put({ roomId, workerId, points });
    else this.changes.reservations.remove(roomId, workerId);
    this.capacityAppeared();
    this.touchWorker(workerId);
  }

  putPipe(pipe: PipePicture): void {
    const before = this.state.picture.pipe(pipe.broadcastId, pipe.consumerWorkerId);
    if (before) this.#touchPipeEnds(before);
    this.state.picture.putPipe(pipe);
    const { state } = pipe;
    if (state === "closing") throw new Error("A closing pipe has no row.");
    this.changes.pipes.put({
      ...pipe,
      state,
      oldGeneration: pipe.oldGeneration ?? null,
      oldProducerWorkerId: pipe.oldProducerWorkerId ?? null,
    });
    this.#touchPipeEnds(pipe);
  }

  dropPipe(pipe: PipePicture): void {
    this.state.picture.dropPipe(pipe.broadcastId, pipe.consumerWorkerId);
    this.changes.pipes.remove(pipe.broadcastId, pipe.consumerWorkerId);
    this.#touchPipeEnds(pipe);
    this.capacityAppeared();
  }

  /** A generation above all that were given out. */
  nextPipeGeneration(): number {
    this.state.pipeGeneration += 1;
    return this.state.pipeGeneration;
  }

  /** Something was given back or opened: whoever waits for a seat is looked at again. */
  capacityAppeared(): void {
    const { waiting } = this.state;
    if (waiting.size === 0) return;
    waiting.restart();
    this.lookAtWaiting();
  }

  /** Whoever waits is looked at by the next alarm, which is at once. */
  lookAtWaiting(): void {
    if (this.state.deadlines.has(deadlineKey("waiting", ""))) return;
    this.setDeadline("waiting", "", "", 0);
  }

  setDeadline(
    kind: DeadlineRow["kind"],
    key: string,
    roomId: string,
    inMs: number,
  ): void {
    const row = { kind, key, roomId, dueAtMs: this.nowMs + inMs };
    this.state.deadlines.set(deadlineKey(kind, key), row);
    this.changes.deadlines.put(row);
  }

  clearDeadline(kind: DeadlineRow["kind"], key: string): void {
    if (!this.state.deadlines.delete(deadlineKey(kind, key))) return;
    this.changes.deadlines.remove(kind, key);
  }

  /** Turns touched totals into rows; to be called once, before the commit. */
  seal(): Changes {
    const { picture, nodes } = this.state;
    for (const workerId of this.#workers) {
      const worker = picture.workers.get(workerId);
      if (!worker) continue;
      this.changes.workers.put({
        ...worker,
        present: worker.open || worker.closedReason !== "absent",
        dedicatedTo: worker.dedicatedTo ?? null,
      });
    }
    for (const nodeId of this.#nodes) {
      const row = nodes.get(nodeId);
      const totals = picture.nodes.get(nodeId);
      if (!row || !totals) continue;
      row.egressUsedKbps = totals.egressUsedKbps;
      row.ingressUsedKbps = totals.ingressUsedKbps;
      warnOfBudgets(this, row);
      this.changes.nodes.put(row);
    }
    for (const [roomId, broadcastId, workerId] of this.#slots.values()) {
      const slot = picture.slot(roomId, broadcastId, workerId);
      const worker = picture.workers.get(workerId);
      if (slot && worker) {
        this.changes.slots.put({ ...slot, seats: picture.seatsOf(worker.mediaClass) });
      } else this.changes.slots.remove(broadcastId, workerId, roomId);
    }
    return this.changes;
  }

  #touchPipeEnds(pipe: PipePicture): void {
    this.touchWorker(pipe.producerWorkerId);
    this.touchWorker(pipe.consumerWorkerId);
    if (pipe.oldProducerWorkerId) this.touchWorker(pipe.oldProducerWorkerId);
  }
}

function noUse(accountId: string): AccountUse {
  return {
    accountId,
    roomsOpen: 0,
    sessionsPresent: 0,
    pointsReserved: 0,
    camerasWatched: 0,
    screensWatched: 0,
    roomsMax: null,
    sessionsMax: null,
    pointsMax: null,
    egressMaxKbps: null,
    capsVersion: 0,
  };
}
