import { quotaIsUsedUp, quotaShare, type Traffic } from "../placement/traffic.ts";
import type { Draft } from "./draft.ts";
import { closedReasonOf, type NodeRow } from "./state.ts";

/** Carries a node's row over into the picture that placement decides on. */
export function refreshNode(draft: Draft, nodeId: string): void {
  const row = draft.state.nodes.get(nodeId);
  if (!row) return;
  const before = draft.state.picture.nodes.get(nodeId);
  const usedUp = quotaIsUsedUp(trafficOf(draft, row), draft.settings);
  const closedReason = closedReasonOf(row) ?? (usedUp ? "quota" : undefined);
  draft.state.picture.putNode({
    id: nodeId,
    open: closedReason === undefined,
    closedReason,
    egressKbps: row.egressKbps,
    egressUsedKbps: before?.egressUsedKbps ?? 0,
    ingressKbps: row.ingressKbps,
    ingressUsedKbps: before?.ingressUsedKbps ?? 0,
  });
  draft.touchNode(nodeId);
}

/** What a node has sent this month and has granted at present. */
export function trafficOf(draft: Draft, row: NodeRow): Traffic {
  return {
    quotaGb: row.egressQuotaGb ?? undefined,
    sentMb: row.sentMb,
    grantedKbps: draft.state.picture.nodes.get(row.id)?.egressUsedKbps ?? 0,
  };
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
  const share = quotaShare(trafficOf(draft, row), draft.settings);
  if (!row.quotaWarned && share >= warnFromShare) {
    row.quotaWarned = true;
    draft.emitForNode(row, { type: "quota.warning", nodeId: row.id, share });
  } else if (share < calmBelowShare) row.quotaWarned = false;
}
