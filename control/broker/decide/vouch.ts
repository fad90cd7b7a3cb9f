import { nodeIdOfWorker } from "#schema/ids.ts";
import { roomDecision } from "../decision.ts";
import { isOn } from "../node-state.ts";

/** What a node tells of who speaks in a room, or of what a session gets there. */
interface Told {
  roomId: string;
  nodeId: string;
  sessionId?: string;
  viewId?: string;
  broadcastId?: string;
  workerId?: string;
}

/**
 * Whether what a node tells is its to tell: of its own workers, of broadcasts of
 * the room that are produced there, of views that it serves. What it tells of
 * anything else is as good as nothing.
 */
export const vouchFor = roomDecision<Told, { tier: number }>(
  ({ state }, { nodeId, sessionId, viewId, broadcastId, workerId }, room) => {
    const nowhere = { refusal: "not-found" } as const;
    if (workerId !== undefined && nodeIdOfWorker(workerId) !== nodeId) return nowhere;
    if (broadcastId !== undefined) {
      const row = state.broadcasts.get(broadcastId)?.row;
      const places = [row?.workerId, row?.otherWorkerId];
      const here = room.broadcasts.has(broadcastId) && places.includes(workerId);
      if (!here) return nowhere;
    }
    if (viewId !== undefined) {
      const view = room.views.get(viewId);
      if (!view || view.sessionId !== sessionId || !isOn(nodeId, view)) return nowhere;
    }
    return { tier: room.row.tier };
  },
);
