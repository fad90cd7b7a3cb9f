import { isRefusal, type Refusal } from "./decision.ts";
import { type DecisionName, decisionOf } from "./decisions.ts";
import type { Draft } from "./draft.ts";
import type { ZoneState } from "./state.ts";

/** What a request comes to. */
export type Answer<T> = { ok: true; value: T } | { ok: false; refusal: Refusal };

/** Makes a repeated request return its first claim. */
export interface IdempotencyScope {
  roomId: string;
  /** Principal, route and the client's key. */
  key: string;
  bodyHash: string;
}

/** A request that waits for its group. */
export interface Waiting {
  name: DecisionName;
  input: unknown;
  idempotency?: IdempotencyScope;
  answer: (answer: Answer<unknown>) => void;
  /** Commits of it that are known not to have landed. */
  lost: number;
}

export const busy: Refusal = {
  refusal: "busy",
  detail: "The zone has too many requests waiting.",
  retryAfter: 1,
};
export const unavailable: Refusal = {
  refusal: "unavailable",
  detail: "The control database does not answer.",
  part: "control",
  retryAfter: 2,
};

/** Decides one request, or finds the claim that it made before. */
export function decideOne(
  draft: Draft,
  { name, input, idempotency }: Waiting,
): Answer<unknown> {
  const keys = idempotency && draft.state.rooms.get(idempotency.roomId)?.keys;
  const known = idempotency && keys?.get(idempotency.key);
  if (known) {
    if (known.bodyHash === idempotency.bodyHash) return { ok: true, value: known.claim };
    return { ok: false, refusal: { refusal: "idempotency-mismatch" } };
  }
  const answer = decisionOf(name).decide(draft, input);
  if (isRefusal(answer)) return { ok: false, refusal: answer };
  if (idempotency && keys) {
    const row = { ...idempotency, claim: answer, atMs: draft.nowMs };
    keys.set(idempotency.key, row);
    draft.changes.idempotency.put(row);
  }
  return { ok: true, value: answer };
}

/** Answers several requests with one refusal. */
export function refuse(requests: readonly Waiting[], refusal: Refusal): void {
  for (const { answer } of requests) answer({ ok: false, refusal });
}

/** The rooms that a group needs and that are not loaded. */
export function missingRooms(group: Waiting[], state: ZoneState): string[] {
  const missing = new Set<string>();
  for (const { name, input } of group) {
    for (const roomId of decisionOf(name).rooms(input, state)) {
      if (!state.rooms.has(roomId)) missing.add(roomId);
    }
  }
  return [...missing];
}
