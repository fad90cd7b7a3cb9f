import { guardCpu } from "../../placement/cpu-guard.ts";
import { monthOf } from "../../placement/traffic.ts";
import type { Decision } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { beginDrain, endDrain } from "../drain.ts";
import { isLosing, noteWell } from "../failing.ts";
import { refreshNode, watchQuota } from "../node-state.ts";
import { isDry } from "../peer-loss.ts";
import type { NodeRow } from "../state.ts";

interface Heard {
  nodeId: string;
  epoch: number;
  draining: boolean;
  /** Measured kbit/s sent since the heartbeat before. */
  egressKbps: number;
  workers: { workerId: string; incarnation: string; cpuPercent: number }[];
}

/** A node was heard: its load, and how much the ledger still has there. */
export const nodeHeard: Decision<Heard, { claims: number }> = {
  rooms: () => [],
  decide(draft, input) {
    const { nodeId, epoch, draining, workers } = input;
    const { state } = draft;
    const row = state.nodes.get(nodeId);
    if (row?.epoch !== epoch || row.state === "gone") return { refusal: "node-fenced" };
    state.heardAtMs.set(nodeId, draft.nowMs);
    countTraffic(draft, row, input.egressKbps);
    watchQuota(draft, nodeId);
    // Its heartbeats say nothing of its media: that its viewers and peers know better.
    const isIll = isLosing(draft, nodeId) || isDry(draft, nodeId);
    const recovers = row.state === "suspect" && !isIll;
    if (recovers) noteWell(draft, row);
    if (recovers || row.draining !== draining) {
      if (draining && !row.draining) {
        draft.emitForNode(row, { type: "node.draining", nodeId });
        beginDrain(draft, row, draft.settings.moves.drainMs);
      } else if (!draining && row.draining && !row.emptying) endDrain(draft, row);
      if (recovers) row.state = "ready";
      row.draining = draining;
      refreshNode(draft, nodeId);
    }
    let claims = 0;
    for (const { workerId, incarnation, cpuPercent } of workers) {
      const worker = state.picture.workers.get(workerId);
      if (worker?.nodeId !== nodeId || worker.incarnation !== incarnation) continue;
      noteCpu(draft, workerId, cpuPercent);
      claims += worker.broadcastsUsed;
      for (const slot of state.picture.slotsOn(workerId)) claims += slot.viewers;
    }
    return { claims };
  },
};

/** Sums what was sent; a new month starts at nothing. Written now and then. */
function countTraffic(draft: Draft, row: NodeRow, egressKbps: number): void {
  const { state, nowMs, settings } = draft;
  const month = monthOf(nowMs);
  if (row.sentMonth !== month) {
    row.sentMonth = month;
    row.sentMb = 0;
    state.sentKb.delete(row.id);
    draft.touchNode(row.id);
  }
  const unwritten = state.sentKb.get(row.id) ?? 0;
  const sentKb = unwritten + (egressKbps * settings.timing.heartbeatMs) / 8000;
  const wholeMb = Math.floor(sentKb / 1000);
  if (wholeMb < writeFromMb) {
    state.sentKb.set(row.id, sentKb);
    return;
  }
  row.sentMb += wholeMb;
  state.sentKb.set(row.id, sentKb - wholeMb * 1000);
  draft.touchNode(row.id);
}

/** A node's traffic is written to the ledger in steps of this size. */
const writeFromMb = 100;

function noteCpu(draft: Draft, workerId: string, cpuPercent: number): void {
  const { state, nowMs, settings } = draft;
  const before = state.load.get(workerId);
  const guard = guardCpu(before?.guard, cpuPercent, nowMs, settings);
  state.load.set(workerId, { cpuPercent, guard });
  const worker = state.picture.workers.get(workerId);
  if (!worker || (before?.guard.holds ?? false) === guard.holds) return;
  const closedReason = guard.holds ? "cpu" : undefined;
  state.picture.putWorker({ ...worker, open: !guard.holds, closedReason });
}
