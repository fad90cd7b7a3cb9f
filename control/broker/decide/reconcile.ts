import type { Inventory } from "#schema/agent/call-results.ts";
import type { Instruction } from "#schema/agent/instructions.ts";
import { interrupt } from "../broadcast-moves.ts";
import { roomsOnNode } from "../clearing.ts";
import { bulkOf, type Decision } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { broadcastsOn, viewsOn } from "../on-node.ts";
import { loseSeat, serveWaiting } from "../rehouse.ts";
import type { BroadcastState, RoomState, ViewRow } from "../state.ts";

interface Compared {
  /** What the node has and no row backs, and how much of it was told to close. */
  orphans: number;
  closed: number;
  /** What rows say is there and is not, and how much of it was given other places. */
  missing: number;
  replaced: number;
}

/**
 * Holds what a node has against the ledger. Both move while they are compared, so
 * only what still differs after a grace is acted on: the ledger is right about
 * what should be there, and the node about what is.
 */
export const reconcileNode: Decision<
  { nodeId: string; epoch: number; inventory: Inventory },
  Compared
> = {
  rooms: ({ nodeId }, state) => roomsOnNode(nodeId, state),
  decide(draft, { nodeId, epoch, inventory }) {
    const row = draft.state.nodes.get(nodeId);
    if (row?.epoch !== epoch || row.state === "gone") return { refusal: "node-fenced" };
    const marks = new Marks(draft, nodeId);
    const views = viewsOn(draft, nodeId);
    const broadcasts = broadcastsOn(draft, nodeId);
    closeOrphans(draft, nodeId, inventory, marks, views, broadcasts);
    replaceMissing(draft, inventory, marks, views, broadcasts);
    marks.keep();
    serveWaiting(draft, bulkOf(draft));
    return marks.compared;
  },
};

/** What differs, and since when: in memory only, so that a new broker looks anew. */
class Marks {
  readonly compared: Compared = { orphans: 0, closed: 0, missing: 0, replaced: 0 };
  readonly #draft: Draft;
  readonly #nodeId: string;
  readonly #before: ReadonlyMap<string, number>;
  readonly #now = new Map<string, number>();

  constructor(draft: Draft, nodeId: string) {
    this.#draft = draft;
    this.#nodeId = nodeId;
    this.#before = draft.state.mismatches.get(nodeId) ?? new Map();
  }

  /** @returns whether this has differed for the grace */
  isOld(key: string): boolean {
    const sinceMs = this.#before.get(key) ?? this.#draft.nowMs;
    this.#now.set(key, sinceMs);
    const { reconcileGraceMs } = this.#draft.settings.moves;
    return this.#draft.nowMs - sinceMs >= reconcileGraceMs;
  }

  keep(): void {
    this.#draft.state.mismatches.set(this.#nodeId, this.#now);
  }
}

function closeOrphans(
  draft: Draft,
  nodeId: string,
  inventory: Inventory,
  marks: Marks,
  views: [RoomState, ViewRow][],
  broadcasts: BroadcastState[],
): void {
  const { compared } = marks;
  const close = (key: string, instruction: Instruction) => {
    compared.orphans += 1;
    if (!marks.isOld(key)) return;
    compared.closed += 1;
    draft.instruct(nodeId, instruction);
  };
  const viewIds = new Set(views.map(([, view]) => view.id));
  for (const { viewId, sessionId } of inventory.views) {
    if (viewIds.has(viewId)) continue;
    close(`orphan ${viewId}`, { kind: "close-view", viewId, sessionId });
  }
  const transportIds = new Set(views.map(([, view]) => view.transportId));
  for (const { row } of broadcasts) {
    transportIds.add(row.transportId);
    if (row.otherTransportId) transportIds.add(row.otherTransportId);
  }
  for (const { transportId, sessionId } of inventory.transports) {
    if (transportIds.has(transportId)) continue;
    const kind = "close-transport";
    close(`orphan ${transportId}`, { kind, transportId, sessionId });
  }
  for (const found of inventory.pipes) {
    const { broadcastId, consumer, generation } = found;
    const pipe = draft.state.picture.pipe(broadcastId, consumer.workerId);
    if (pipe?.generation === generation || pipe?.oldGeneration === generation) continue;
    const key = `orphan ${broadcastId} ${consumer.workerId} ${generation}`;
    close(key, { kind: "pipe", ...found, wanted: "closed" });
  }
}

/** A view whose media was there and is no longer, a broadcast that is not received. */
function replaceMissing(
  draft: Draft,
  inventory: Inventory,
  marks: Marks,
  views: [RoomState, ViewRow][],
  broadcasts: BroadcastState[],
): void {
  const { compared } = marks;
  const reason = "its host has it no longer";
  const viewIds = new Set(inventory.views.map(({ viewId }) => viewId));
  for (const [room, view] of views) {
    if (view.state !== "active" || viewIds.has(view.id)) continue;
    compared.missing += 1;
    if (!marks.isOld(`missing ${view.id}`)) continue;
    compared.replaced += 1;
    loseSeat(draft, room, view, { reason, tellAgent: true });
  }
  const transportIds = new Set(inventory.transports.map((one) => one.transportId));
  for (const broadcast of broadcasts) {
    const { row, tracks } = broadcast;
    if (row.state !== "live" || tracks.size === 0) continue;
    if (transportIds.has(row.transportId)) continue;
    compared.missing += 1;
    if (!marks.isOld(`missing ${row.transportId}`)) continue;
    compared.replaced += 1;
    interrupt(draft, broadcast, reason);
  }
}
