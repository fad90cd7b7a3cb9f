import type { Explanation } from "#schema/api/fleet.ts";
import type { Grounds, PlacedView } from "../../placement/decision.ts";
import { explainGrounds } from "../../placement/explain.ts";
import { roomDecision } from "../decision.ts";

/** Tells why a view is where it is. */
export const explainView = roomDecision<
  { roomId: string; accountId: string; viewId: string },
  Explanation
>((draft, { accountId, viewId }, room) => {
  const view = room.views.get(viewId);
  if (!view || room.row.accountId !== accountId) return { refusal: "not-found" };
  const grounds = view.grounds as Grounds & Pick<PlacedView, "points" | "opensPipe">;
  const { picture } = draft.state;
  const pipe = picture.pipe(view.broadcastId, view.workerId);
  return {
    viewId,
    roomId: room.row.id,
    broadcastId: view.broadcastId,
    workerId: view.workerId,
    state: view.state,
    rule: grounds.rule,
    points: grounds.points,
    openedPipe: grounds.opensPipe,
    considered: grounds.considered,
    passedOver: { ...grounds.passedOver },
    sentences: explainGrounds(grounds),
    pipe: pipe ? { state: pipe.state, generation: pipe.generation } : undefined,
    claimedAt: new Date(view.claimedAtMs).toISOString(),
  };
});
