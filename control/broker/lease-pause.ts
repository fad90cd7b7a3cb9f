import type { Draft } from "./draft.ts";
import type { NodeRow } from "./state.ts";

/**
 * Whether a silent node's lease has to wait. Where much of a zone falls silent at
 * once, it is more likely the way to control that is cut than all these hosts:
 * their media may be healthy, and whoever loses it says so and is moved. One node
 * of two or three may end; two of three at once may not. Nor does the last of them
 * end because the first are back: the pause outlasts its cause by the time in which
 * every host that is well is heard. It is put off, not away: after `pauseMaxMs` it
 * ends all the same.
 */
export function isLeasePaused(draft: Draft, row: NodeRow): boolean {
  const { state, nowMs, settings } = draft;
  const { pauseFromShare, pauseFromNodes, pauseMaxMs } = settings.failing;
  const { nodeLeaseMs, nodeSuspectMs } = settings.timing;
  let silent = 0;
  let all = 0;
  for (const node of state.nodes.values()) {
    const endedMs = nowMs - (state.endedAtMs.get(node.id) ?? Number.NEGATIVE_INFINITY);
    const ended = node.state === "gone" && endedMs <= nodeLeaseMs;
    if (node.state === "gone" && !ended) continue;
    all += 1;
    if (ended || node.state === "suspect") silent += 1;
  }
  if (silent >= pauseFromNodes && silent / all > pauseFromShare) {
    state.pauseEndsAtMs = nowMs + nodeSuspectMs;
  } else if (nowMs >= state.pauseEndsAtMs) {
    state.pausedAtMs.clear();
    return false;
  }
  const since = state.pausedAtMs.get(row.id);
  if (since !== undefined) return nowMs - since < pauseMaxMs;
  state.pausedAtMs.set(row.id, nowMs);
  draft.alert("leases-paused", { nodeId: row.id, silent, nodes: all });
  draft.emitForNode(row, { type: "lease.paused", nodeId: row.id, share: silent / all });
  return true;
}
