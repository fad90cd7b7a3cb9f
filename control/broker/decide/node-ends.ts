import {
  clearNode,
  clearWorker,
  resettle,
  roomsOnNode,
  roomsOnWorker,
} from "../clearing.ts";
import type { Decision, Refusal } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { noteFailure } from "../failing.ts";
import { isLeasePaused } from "../lease-pause.ts";
import { refreshNode } from "../node-state.ts";
import type { Loss } from "../rehouse.ts";

/**
 * A node has not been heard: it takes nothing new, or has lost its claims; which
 * is put off where too many are silent at once.
 */
export const nodeSilent: Decision<
  { nodeId: string; epoch: number; state: "suspect" | "gone" },
  { paused: boolean }
> = {
  rooms: ({ nodeId, state: wanted }, state) =>
    wanted === "gone" ? roomsOnNode(nodeId, state) : [],
  decide(draft, { nodeId, epoch, state: wanted }) {
    const row = draft.state.nodes.get(nodeId);
    if (row?.epoch !== epoch || row.state === wanted || row.state === "gone") {
      return { paused: false };
    }
    const gone = wanted === "gone";
    if (gone && isLeasePaused(draft, row)) return { paused: true };
    if (row.state === "ready") noteFailure(draft, row, "it did not answer");
    row.state = wanted;
    if (gone) draft.state.endedAtMs.set(nodeId, draft.nowMs);
    const cleared = gone && clearNode(draft, nodeId, silence(draft));
    refreshNode(draft, nodeId);
    if (cleared) resettle(draft, cleared);
    return { paused: false };
  },
};

/** A mediasoup worker died; another has taken its place, with nothing on it. */
export const workerDied: Decision<
  {
    nodeId: string;
    epoch: number;
    workerId: string;
    incarnation: string;
    replacedBy: string;
  },
  Record<string, never>
> = {
  rooms: ({ workerId }, state) => roomsOnWorker(workerId, state),
  decide(
    draft,
    { nodeId, epoch, workerId, incarnation, replacedBy },
  ): Refusal | Record<string, never> {
    const worker = draft.state.picture.workers.get(workerId);
    const row = draft.state.nodes.get(nodeId);
    if (row?.epoch !== epoch) return { refusal: "node-fenced" };
    if (worker?.nodeId !== nodeId || worker.incarnation !== incarnation) return {};
    const cleared = clearWorker(draft, workerId, { reason: "its media worker died" });
    draft.state.picture.putWorker({ ...worker, incarnation: replacedBy });
    draft.touchWorker(workerId);
    noteFailure(draft, row, "a media worker died");
    refreshNode(draft, nodeId);
    resettle(draft, cleared);
    return {};
  },
};

/**
 * An agent ends, and says so: its media goes with it, so nobody has to wait for its
 * lease. What it left behind is placed again, and its end is no failure.
 */
export const nodeLeft: Decision<
  { nodeId: string; epoch: number },
  Record<string, never>
> = {
  rooms: ({ nodeId }, state) => roomsOnNode(nodeId, state),
  decide(draft, { nodeId, epoch }): Refusal | Record<string, never> {
    const { state } = draft;
    const row = state.nodes.get(nodeId);
    if (row?.epoch !== epoch) return { refusal: "node-fenced" };
    if (row.state === "gone") return {};
    row.state = "gone";
    // One that was asked to leave says nothing of the way to the others.
    state.endedAtMs.delete(nodeId);
    const cleared = clearNode(draft, nodeId, { reason: "its host has left" });
    refreshNode(draft, nodeId);
    resettle(draft, cleared);
    return {};
  },
};

/**
 * Who has not told of lost media by now may still get it, where only the way to
 * control is cut: the picture runs on until the new one is there.
 */
function silence(draft: Draft): Loss {
  const { oldRunsMs } = draft.settings.moves;
  return { reason: "its host does not answer", oldRunsMs };
}
