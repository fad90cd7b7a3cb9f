import { nodeIdOfWorker } from "#schema/ids.ts";
import { releaseView } from "../claims.ts";
import { sessionDecision } from "../decision.ts";
import { claimPlaced, placeSeats } from "../seats.ts";
import { type ClaimedViews, describeViews } from "./views.ts";

/**
 * Views whose media a host did not bring: their seats go back. With `again` they
 * are placed once more, elsewhere if there is room, and answered as claimed. Of a
 * view that moves, the old seat is what is left; it is moved again in its time.
 */
export const failViews = sessionDecision<
  { roomId: string; sessionId: string; viewIds: string[]; again: boolean },
  ClaimedViews
>((draft, { viewIds, again }, room, session) => {
  const { picture } = draft.state;
  const wanted: string[] = [];
  const avoid = new Set<string>();
  for (const viewId of new Set(viewIds)) {
    const view = room.views.get(viewId);
    if (view?.sessionId !== session.id) continue;
    const nodeId = nodeIdOfWorker(view.workerId);
    const move = room.moves.get(viewId);
    if (move) room.shunned.set(move.viewId, nodeId);
    else wanted.push(view.broadcastId);
    releaseView(draft, room, view, true);
    for (const workerId of picture.workersOnNode(nodeId)) avoid.add(workerId);
  }
  if (!again || wanted.length === 0) return { views: [], afterSeq: {}, refused: [] };
  let { placed, refused } = placeSeats(draft, room, session, wanted, avoid);
  const claimed = placed.map((one) => claimPlaced(draft, room, session, one));
  if (refused.length > 0) {
    // The host that failed is the last choice, and better than none.
    const left = refused.map(({ broadcastId }) => broadcastId);
    ({ placed, refused } = placeSeats(draft, room, session, left));
    for (const one of placed) claimed.push(claimPlaced(draft, room, session, one));
  }
  return { ...describeViews(draft, claimed), refused: [] };
});
