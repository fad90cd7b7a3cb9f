import type { Instruction, OutboxItem, WorkerRef } from "#schema/agent/instructions.ts";
import type { NodeEventInfo } from "#schema/api/fleet.ts";
import type { OwnEvent, RoomEvent } from "#schema/channel.ts";
import { type IdKind, newId } from "#schema/ids.ts";
import type { Settings } from "#schema/settings.ts";
import { Changes } from "../ledger/changes.ts";
import type { PipePicture } from "../placement/picture-rows.ts";
import { warnOfBudgets, watchQuota } from "./node-state.ts";
import {
  type DeadlineRow,
  deadlineKey,
  type NodeRow,
  type RoomState,
  type SessionRow,
  type ZoneState,
} from "./state.ts";

/** An event with its place in its stream. */
export interface Numbered<Event> {
  seq: number;
  atMs: number;
  event: Event;
}
export type NumberedEvent = Numbered<RoomEvent>;

/** What a commit has to tell one room's sessions. */
export interface RoomNews {
  events: NumberedEvent[];
  /** Sessions' own events, by session. */
  own: Record<string, Numbered<OwnEvent>[]>;
  /** Whether a socket may have to be told of an end: its session is attached no more. */
  endsSockets: boolean;
}

/**
 * One group's work in progress: it changes the state in memory and remembers
 * which rows have to be written. Should the commit fail, the state is thrown
 * away and read again, so nothing here needs undoing.
 */
export class Draft {
  readonly state: ZoneState;
  readonly nowMs: number;
  readonly changes = new Changes();
  /** Instructions by node, and events by room, to be told after the commit. */
  readonly instructions = new Map<string, OutboxItem[]>();
  readonly news = new Map<string, RoomNews>();
  readonly #workers = new Set<string>();
  readonly #nodes = new Set<string>();
  readonly #slots = new Map<string, [string, string, string]>();
  readonly #zone: string;

  constructor(state: ZoneState, zone: string, nowMs: number) {
    this.state = state;
    this.#zone = zone;
    this.nowMs = nowMs;
  }

  get settings(): Settings {
    return this.state.picture.settings;
  }

  /** Rows that the commit would write now. */
  get rows(): number {
    return this.changes.rows + this.#workers.size + this.#nodes.size + this.#slots.size;
  }

  newId(kind: IdKind): string {
    return newId(kind, this.#zone);
  }

  /** A worker in its present life, as instructions and calls name it. */
  workerRef(workerId: string): WorkerRef {
    const incarnation = this.state.picture.workers.get(workerId)?.incarnation ?? "";
    return { workerId, incarnation };
  }

  touchWorker(workerId: string): void {
    this.#workers.add(workerId);
    const worker = this.state.picture.workers.get(workerId);
    if (worker) this.#nodes.add(worker.nodeId);
  }

  touchNode(nodeId: string): void {
    this.#nodes.add(nodeId);
  }

  touchRoom(room: RoomState): void {
    room.touchedAtMs = this.nowMs;
    this.changes.rooms.put(room.row);
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
  }

  /** Sets the points that a room keeps on a worker; 0 ends the reservation. */
  setReservation(roomId: string, workerId: string, points: number): void {
    this.state.picture.setReservation({ roomId, workerId, points });
    if (points > 0) this.changes.reservations.put({ roomId, workerId, points });
    else this.changes.reservations.remove(roomId, workerId);
    this.touchWorker(workerId);
  }

  putPipe(pipe: PipePicture): void {
    this.state.picture.putPipe(pipe);
    const { broadcastId, consumerWorkerId, producerWorkerId, generation, legs } = pipe;
    if (pipe.state === "closing") throw new Error("A closing pipe has no row.");
    this.changes.pipes.put({
      broadcastId,
      consumerWorkerId,
      producerWorkerId,
      state: pipe.state,
      generation,
      legs,
    });
    this.#touchPipeEnds(pipe);
  }

  dropPipe(pipe: PipePicture): void {
    this.state.picture.dropPipe(pipe.broadcastId, pipe.consumerWorkerId);
    this.changes.pipes.remove(pipe.broadcastId, pipe.consumerWorkerId);
    this.#touchPipeEnds(pipe);
  }

  /** A generation above all that were given out. */
  nextPipeGeneration(): number {
    this.state.pipeGeneration += 1;
    return this.state.pipeGeneration;
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

  /** Adds an event to a room's stream. */
  emit(room: RoomState, event: RoomEvent): void {
    room.row.eventSeq += 1;
    this.touchRoom(room);
    const numbered = { seq: room.row.eventSeq, atMs: this.nowMs, event };
    const { id: roomId } = room.row;
    this.changes.events.put({ streamId: roomId, roomId, ...numbered });
    this.#newsOf(roomId).events.push(numbered);
  }

  /** A session is attached no longer, though its socket may be open. */
  detach(room: RoomState, session: SessionRow): void {
    if (session.attached) this.#newsOf(room.row.id).endsSockets = true;
    session.attached = false;
  }

  /** Adds an event to a session's own stream; one that has ended hears nothing. */
  emitForSession(room: RoomState, sessionId: string, event: OwnEvent): void {
    const session = room.sessions.get(sessionId);
    if (!session) return;
    session.eventSeq += 1;
    this.changes.sessions.put(session);
    const numbered = { seq: session.eventSeq, atMs: this.nowMs, event };
    const { id: roomId } = room.row;
    this.changes.events.put({ streamId: sessionId, roomId, ...numbered });
    const { own } = this.#newsOf(roomId);
    own[sessionId] = [...(own[sessionId] ?? []), numbered];
  }

  /** Adds an event to a node's own stream, which its operator reads. */
  emitForNode(node: NodeRow, event: NodeEventInfo): void {
    node.eventSeq += 1;
    const { id: streamId, eventSeq: seq } = node;
    this.changes.events.put({ streamId, seq, atMs: this.nowMs, event });
  }

  /** Adds an instruction to a node's outbox; a node that is gone needs none. */
  instruct(nodeId: string, instruction: Instruction): void {
    const node = this.state.nodes.get(nodeId);
    if (!node || node.state === "gone") return;
    node.outboxSeq += 1;
    this.touchNode(nodeId);
    const item = { seq: node.outboxSeq, instruction };
    this.changes.outbox.put({ nodeId, ...item });
    const items = this.instructions.get(nodeId);
    if (items) items.push(item);
    else this.instructions.set(nodeId, [item]);
  }

  /** The instruction sequence after which a call to this node may run. */
  afterSeq(nodeId: string): number {
    return this.state.nodes.get(nodeId)?.outboxSeq ?? 0;
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

  #newsOf(roomId: string): RoomNews {
    let news = this.news.get(roomId);
    if (!news) {
      news = { events: [], own: {}, endsSockets: false };
      this.news.set(roomId, news);
    }
    return news;
  }

  #touchPipeEnds(pipe: PipePicture): void {
    this.touchWorker(pipe.producerWorkerId);
    this.touchWorker(pipe.consumerWorkerId);
  }
}
