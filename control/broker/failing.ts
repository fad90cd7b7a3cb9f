import type { Draft } from "./draft.ts";
import { refreshNode } from "./node-state.ts";
import { closedReasonOf, type NodeRow } from "./state.ts";

/*
 * A node that fails twice in a short time takes nothing new until it was well for
 * a while, and for longer each time: what comes and goes disturbs more than what
 * is gone. What it has, it keeps. What fails at about the same time, as all workers
 * of a host do, is one failure.
 */

/** A node failed: it may be held back for it. */
export function noteFailure(draft: Draft, row: NodeRow, what: string): void {
  const { nowMs, settings } = draft;
  const { incidentMs, withinMs, forgetMs } = settings.failing;
  const sinceMs = nowMs - row.failedAtMs;
  if (row.failure !== null && sinceMs < incidentMs) return;
  if (sinceMs >= forgetMs) row.holds = 0;
  const again = row.failure !== null && sinceMs <= withinMs;
  row.failure = what;
  row.failedAtMs = nowMs;
  draft.touchNode(row.id);
  if (again || row.heldUntilMs !== null) {
    row.holds += 1;
    hold(draft, row);
    draft.emitForNode(row, { type: "node.failing", nodeId: row.id, reason: what });
  }
}

/**
 * Lets those go that were well longest, where too much is held back of what could
 * serve: what comes and goes is better than nothing. Each kind of worker counts by
 * itself, as a zone may have many hosts and few of them for screens. Nothing is
 * counted on that is cordoned, drains, or does not answer.
 */
export function letHeldGo(draft: Draft): void {
  const nodes = [...draft.state.nodes.values()];
  // Mostly nothing is, and every commit asks.
  if (!nodes.some(isHeld)) return;
  const able = nodes.filter((row) => {
    const reason = closedReasonOf(row);
    return reason === undefined || reason === "failing";
  });
  const ofKind = new Map<string, NodeRow[]>();
  for (const row of able) {
    for (const kind of kindsOn(draft, row.id)) {
      ofKind.set(kind, [...(ofKind.get(kind) ?? []), row]);
    }
  }
  for (const rows of ofKind.values()) {
    const most = Math.floor(rows.length * draft.settings.failing.heldShareMax);
    const held = rows.filter(isHeld).sort((a, b) => a.failedAtMs - b.failedAtMs);
    for (const { id } of held.slice(0, Math.max(0, held.length - most))) {
      draft.clearDeadline("node-hold", id);
      endHold(draft, id);
    }
  }
}

function isHeld({ heldUntilMs }: NodeRow): boolean {
  return heldUntilMs !== null;
}

/** What a node's workers are for: each role and class once. */
function kindsOn({ state: { picture } }: Draft, nodeId: string): Set<string> {
  const kinds = new Set<string>();
  for (const id of picture.workersOnNode(nodeId)) {
    const worker = picture.workers.get(id);
    if (worker?.closedReason === "absent") continue;
    kinds.add(`${worker?.role} ${worker?.mediaClass}`);
  }
  return kinds;
}

/** A node that is held back is well again: its time starts now. */
export function noteWell(draft: Draft, row: NodeRow): void {
  if (row.heldUntilMs !== null) hold(draft, row);
}

/** A node was well for long enough. */
export function endHold(draft: Draft, nodeId: string): void {
  const row = draft.state.nodes.get(nodeId);
  if (!row) return;
  row.heldUntilMs = null;
  refreshNode(draft, nodeId);
}

/**
 * A session tells that its media from a node is gone. Where several do at about
 * the same time, the node is suspect at once.
 */
export function noteLoss(draft: Draft, nodeId: string, sessionId: string): void {
  const { state, nowMs } = draft;
  const losses = state.losses.get(nodeId) ?? new Map<string, Loss>();
  state.losses.set(nodeId, losses);
  const views = (losses.get(sessionId)?.views ?? 0) + 1;
  losses.set(sessionId, { atMs: nowMs, views });
  const row = state.nodes.get(nodeId);
  if (row?.state !== "ready" || !isLosing(draft, nodeId)) return;
  row.state = "suspect";
  noteFailure(draft, row, "its viewers lost their media");
  refreshNode(draft, nodeId);
}

/** Whether enough of a node's viewers told of lost media lately. */
export function isLosing(draft: Draft, nodeId: string): boolean {
  const { state, nowMs, settings } = draft;
  const { lossSessions, lossShare, lossWithinMs } = settings.failing;
  const losses = state.losses.get(nodeId) ?? new Map<string, Loss>();
  let lost = 0;
  for (const [sessionId, { atMs, views }] of losses) {
    if (nowMs - atMs > lossWithinMs) losses.delete(sessionId);
    else lost += views;
  }
  if (losses.size < lossSessions) return false;
  let served = lost;
  for (const workerId of state.picture.workersOnNode(nodeId)) {
    for (const slot of state.picture.slotsOn(workerId)) served += slot.viewers;
  }
  return lost >= lossShare * served;
}

type Loss = { atMs: number; views: number };

function hold(draft: Draft, row: NodeRow): void {
  const { holdMs, holdMaxMs } = draft.settings.failing;
  const forMs = Math.min(holdMaxMs, holdMs * 2 ** Math.max(0, row.holds - 1));
  row.heldUntilMs = draft.nowMs + forMs;
  draft.setDeadline("node-hold", row.id, "", forMs);
  draft.touchNode(row.id);
}
