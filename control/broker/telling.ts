import type { Instruction, OutboxItem, WorkerRef } from "#schema/agent/instructions.ts";
import type { NodeEventInfo } from "#schema/api/fleet.ts";
import type { OwnEvent, RoomEvent } from "#schema/events.ts";
import { type IdKind, newId } from "#schema/ids.ts";
import type { Settings } from "#schema/settings.ts";
import { Changes } from "../ledger/changes.ts";
import type { NodeRow, RoomState, SessionRow, ZoneState } from "./state.ts";

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

/** What a group's decisions leave to be told after its commit, and to be written. */
export abstract class Telling {
  readonly state: ZoneState;
  readonly nowMs: number;
  readonly changes = new Changes();
  /** Instructions by node, and events by room, to be told after the commit. */
  readonly instructions = new Map<string, OutboxItem[]>();
  readonly news = new Map<string, RoomNews>();
  /** What an operator has to know of, whatever becomes of the commit. */
  readonly alerts: { what: string; details: Record<string, unknown> }[] = [];
  readonly #zone: string;

  constructor(state: ZoneState, zone: string, nowMs: number) {
    this.state = state;
    this.#zone = zone;
    this.nowMs = nowMs;
  }

  abstract touchNode(nodeId: string): void;

  get settings(): Settings {
    return this.state.picture.settings;
  }

  newId(kind: IdKind): string {
    return newId(kind, this.#zone);
  }

  /** A worker in its present life, as instructions and calls name it. */
  workerRef(workerId: string): WorkerRef {
    const incarnation = this.state.picture.workers.get(workerId)?.incarnation ?? "";
    return { workerId, incarnation };
  }

  touchRoom(room: RoomState): void {
    room.touchedAtMs = this.nowMs;
    this.changes.rooms.put(room.row);
  }

  alert(what: string, details: Record<string, unknown>): void {
    this.alerts.push({ what, details });
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
    this.touchNode(node.id);
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

  #newsOf(roomId: string): RoomNews {
    let news = this.news.get(roomId);
    if (!news) {
      news = { events: [], own: {}, endsSockets: false };
      this.news.set(roomId, news);
    }
    return news;
  }
}
