import { roomDecision } from "../decision.ts";

/** Finds the worker of a broadcast, or of a view, of one of an account's rooms. */
export const workerOfMedia = roomDecision<
  { roomId: string; accountId: string; kind: "broadcast" | "view"; id: string },
  { workerId: string }
>((draft, { accountId, kind, id }, room) => {
  if (room.row.accountId !== accountId) return { refusal: "not-found" };
  const row = kind === "view" ? room.views.get(id) : draft.state.broadcasts.get(id)?.row;
  return row ? { workerId: row.workerId } : { refusal: "not-found" };
});
