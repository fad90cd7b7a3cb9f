import { nodeIdOfWorker } from "#schema/ids.ts";
import { quotaIsUsedUp, quotaShare, type Traffic } from "../placement/traffic.ts";
import { nominalKbps } from "../placement/weight.ts";
import type { Draft } from "./draft.ts";
import { closedReasonOf, type NodeRow, type ZoneState } from "./state.ts";

/** Carries a node's row over into the picture that placement decides on. */
export function refreshNode(draft: Draft, nodeId: string): void {
  const { nodes } = draft.state.picture;
  const wasOpen = nodes.get(nodeId)?.open ?? false;
  refreshPicture(draft.state, nodeId);
  if (!wasOpen && nodes.get(nodeId)?.open) draft.capacityAppeared();
  draft.touchNode(nodeId);
}

/** The same for a state that was just read; what is used is counted there already. */
export function refreshPicture(state: ZoneState, nodeId: string): void {
  const row = state.nodes.get(nodeId);
  if (!row) return;
  const before = state.picture.nodes.get(nodeId);
  const closedReason =
    closedReasonOf(row) ?? (hasQuotaLeft(state, row) ? undefined : "quota");
  state.picture.putNode({
    id: nodeId,
    open: closedReason === undefined,
    closedReason,
    egressKbps: row.egressKbps,
    egressUsedKbps: before?.egressUsedKbps ?? 0,
    ingressKbps: row.ingressKbps,
    ingressUsedKbps: before?.ingressUsedKbps ?? 0,
  });
}

/** Closes a node whose traffic quota is spoken for, and opens it when it no longer is. */
export function watchQuota(draft: Draft, nodeId: string): void {
  const { state } = draft;
  const row = state.nodes.get(nodeId);
  if (!row || row.egressQuotaGb === null || closedReasonOf(row)) return;
  const isClosed = state.picture.nodes.get(nodeId)?.closedReason === "quota";
  if (isClosed === hasQuotaLeft(state, row)) refreshNode(draft, nodeId);
}

/** Whether something is on a node; where none is named, it is. */
export function isOn(nodeId: string | undefined, held: { workerId: string }): boolean {
  return nodeId === undefined || nodeIdOfWorker(held.workerId) === nodeId;
}

/** Warns once for each rise of a node's bandwidth or traffic over its mark. */
export function warnOfBudgets(draft: Draft, row: NodeRow): void {
  const { warnFromShare, calmBelowShare } = draft.settings.budget;
  const egressShare = row.egressUsedKbps / row.egressKbps;
  if (!row.egressWarned && egressShare >= warnFromShare) {
    row.egressWarned = true;
    draft.emitForNode(row, {
      type: "egress.warning",
      nodeId: row.id,
      share: egressShare,
    });
  } else if (egressShare < calmBelowShare) row.egressWarned = false;
  const share = quotaShare(trafficOf(draft.state, row), draft.settings);
  if (!row.quotaWarned && share >= warnFromShare) {
    row.quotaWarned = true;
    draft.emitForNode(row, { type: "quota.warning", nodeId: row.id, share });
  } else if (share < calmBelowShare) row.quotaWarned = false;
}

function hasQuotaLeft(state: ZoneState, row: NodeRow): boolean {
  const { picture } = state;
  let viewKbps = 0;
  for (const workerId of picture.workersOnNode(row.id)) {
    const worker = picture.workers.get(workerId);
    if (worker?.role !== "consumer") continue;
    const { view } = nominalKbps(picture.settings, worker.mediaClass);
    viewKbps = Math.max(viewKbps, view);
  }
  return !quotaIsUsedUp(trafficOf(state, row), viewKbps, picture.settings);
}

/** What a node has sent this month and has granted at present. */
function trafficOf(state: ZoneState, row: NodeRow): Traffic {
  return {
    quotaGb: row.egressQuotaGb ?? undefined,
    sentMb: row.sentMb,
    grantedKbps: state.picture.nodes.get(row.id)?.egressUsedKbps ?? 0,
  };
}
