import type { InferSelectModel } from "drizzle-orm";
import type { node } from "#schema/control/fleet.ts";
import type { deadline, idempotency } from "#schema/control/journal.ts";
import type { broadcast, room, session, track } from "#schema/control/rooms.ts";
import type { move, view, waiting } from "#schema/control/views.ts";
import type { MediaClass, Settings } from "#schema/settings.ts";
import type { AccountUse } from "../ledger/account-use.ts";
import type { GuardMemory } from "../placement/cpu-guard.ts";
import { Picture } from "../placement/picture.ts";
import { Deadlines } from "./deadlines.ts";
import { WaitingList } from "./waiting-list.ts";

export type NodeRow = InferSelectModel<typeof node>;
export type RoomRow = InferSelectModel<typeof room>;
export type SessionRow = InferSelectModel<typeof session>;
export type BroadcastRow = InferSelectModel<typeof broadcast>;
export type TrackRow = InferSelectModel<typeof track>;
export type ViewRow = InferSelectModel<typeof view>;
export type MoveRow = InferSelectModel<typeof move>;
export type WaitingRow = InferSelectModel<typeof waiting>;
export type DeadlineRow = InferSelectModel<typeof deadline>;
export type IdempotencyRow = InferSelectModel<typeof idempotency>;

/** A broadcast in full: resident while one of its rooms is. */
export interface BroadcastState {
  row: BroadcastRow;
  tracks: Map<string, TrackRow>;
  /** The rooms in which it is shown, its home among them. */
  rooms: Set<string>;
  /** The highest layer that each consumer worker's viewers want; in memory only. */
  layersWanted?: Map<string, number>;
}

/** A room in full: loaded when first touched, let go when long untouched. */
export interface RoomState {
  row: RoomRow;
  sessions: Map<string, SessionRow>;
  /** Ids of the broadcasts shown here. */
  broadcasts: Set<string>;
  views: Map<string, ViewRow>;
  /** The newest of them: session -> broadcast -> view. */
  viewsBySession: Map<string, Map<string, ViewRow>>;
  /** Views on the move, by the view in the old seat and by the one in the new. */
  moves: Map<string, MoveRow>;
  /** Nodes to which a view's last move did not succeed, in memory only. */
  shunned: Map<string, string>;
  /** Identities that may not come in. */
  bans: Set<string>;
  keys: Map<string, IdempotencyRow>;
  touchedAtMs: number;
}

/** A view that was refused for want of points, and when. */
interface Wish {
  roomId: string;
  sessionId: string;
  broadcastId: string;
  atMs: number;
}

/** What the broker knows of its zone; the database is the only truth. */
export class ZoneState {
  readonly picture: Picture;
  readonly nodes = new Map<string, NodeRow>();
  readonly rooms = new Map<string, RoomState>();
  readonly broadcasts = new Map<string, BroadcastState>();
  readonly deadlines = new Deadlines();
  /** What each account holds, and what it may. */
  readonly accounts = new Map<string, AccountUse>();
  /** Those who lost a view and wait for another seat. */
  readonly waiting = new WaitingList();
  /** The accounts of webhooks: webhook -> account. */
  readonly webhooks = new Map<string, string>();
  /** Open rooms whose tier is reserved and has broadcasts. */
  readonly reservedRooms = new Set<string>();
  /** Last heard load by worker, in memory only: a new broker hears it again. */
  readonly load = new Map<string, { cpuPercent: number; guard: GuardMemory }>();
  /** Traffic by node, in kilobytes, that is not written to the ledger yet. */
  readonly sentKb = new Map<string, number>();
  // What follows is in memory only: a new broker hears it again.
  /** When nodes were heard last. */
  readonly heardAtMs = new Map<string, number>();
  /** When sessions told of lost media, and of how many views: node -> session. */
  readonly losses = new Map<string, Map<string, { atMs: number; views: number }>>();
  /** When nodes told that nothing comes from a peer: peer -> node -> when. */
  readonly dryPeers = new Map<string, Map<string, number>>();
  /** What did not match at the last comparison with its node, and since when. */
  readonly mismatches = new Map<string, Map<string, number>>();
  /** When nodes' leases ended, and since when others' are put off. */
  readonly endedAtMs = new Map<string, number>();
  readonly pausedAtMs = new Map<string, number>();
  /** Until when no lease ends, as many were to end at once. */
  pauseEndsAtMs = Number.NEGATIVE_INFINITY;
  /** The last view of a class that was refused for want of points. */
  readonly wishes = new Map<MediaClass, Wish>();
  #lookedAtMs = 0;
  generation = 0;
  commitSeq = 0;
  pipeGeneration = 0;
  codecs: { hash: string; routerRtpCapabilities: unknown } | undefined;

  constructor(settings: Settings) {
    this.picture = new Picture(settings);
  }

  /**
   * A room that the decision at hand has to find loaded.
   * @throws Error where it is not: the decision did not name it
   */
  loadedRoom(roomId: string): RoomState {
    const room = this.rooms.get(roomId);
    if (!room) throw new Error(`Room ${roomId} is not loaded.`);
    return room;
  }

  /** The views of a room's broadcast, on all workers. */
  viewsOf(roomId: string, broadcastId: string): ViewRow[] {
    const views = this.rooms.get(roomId)?.views.values() ?? [];
    return [...views].filter((view) => view.broadcastId === broadcastId);
  }

  /**
   * Nobody loses anything for time in which there was no broker to hear them: what
   * they have time for, they have all of it from now.
   */
  postponeDeadlines(nowMs: number): void {
    const { timing, moves } = this.picture.settings;
    const fullMs: Record<DeadlineRow["kind"], number> = {
      "pipe-linger": timing.pipeLingerMs,
      "view-claim": timing.viewClaimMs,
      "session-attach": timing.sessionAttachMs,
      "session-grace": timing.sessionGraceMs,
      waiting: 0,
      move: moves.oldRunsMs,
      resume: moves.resumeMs,
      leave: moves.oldRunsMs,
      drain: 0,
      "node-hold": 0,
      defragment: 0,
    };
    for (const [key, row] of [...this.deadlines]) {
      const dueAtMs = nowMs + fullMs[row.kind];
      if (row.dueAtMs < dueAtMs) this.deadlines.set(key, { ...row, dueAtMs });
    }
  }

  /** Lets go of rooms long untouched, and of broadcasts shown nowhere else. */
  letGoOfRooms(nowMs: number): void {
    const { roomKeepMs } = this.picture.settings.broker;
    // A look over all rooms is worth it only now and then.
    if (nowMs - this.#lookedAtMs < roomKeepMs / 10) return;
    this.#lookedAtMs = nowMs;
    for (const [roomId, room] of this.rooms) {
      if (nowMs - room.touchedAtMs < roomKeepMs) continue;
      this.rooms.delete(roomId);
      for (const broadcastId of room.broadcasts) {
        const broadcast = this.broadcasts.get(broadcastId);
        const needed = [...(broadcast?.rooms ?? [])].some((id) => this.rooms.has(id));
        if (!needed) this.broadcasts.delete(broadcastId);
      }
    }
  }
}

/** A deadline's key in memory. */
export function deadlineKey(kind: DeadlineRow["kind"], key: string): string {
  return `${kind}|${key}`;
}

/** Why a node takes nothing new, in a word; undefined where it does. */
export function closedReasonOf(row: NodeRow): string | undefined {
  if (row.state !== "ready") return row.state;
  if (row.cordoned) return "cordoned";
  if (row.draining || row.emptying) return "draining";
  return row.heldUntilMs === null ? undefined : "failing";
}
