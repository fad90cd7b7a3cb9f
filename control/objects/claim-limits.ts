import type { Settings } from "#schema/settings.ts";
import { FloodLimit } from "../auth/flood-limit.ts";
import { claimLimits } from "../auth/limits.ts";
import type { Refusal } from "../broker/decision.ts";
import type { DecisionName } from "../broker/decisions.ts";

/** Counts what sessions claim and what happens to rooms, exactly: one per zone. */
export class ClaimLimits {
  readonly #floods: { claim: FloodLimit; room: FloodLimit };

  constructor({ claim, room }: Settings["limits"]) {
    this.#floods = { claim: new FloodLimit(claim), room: new FloodLimit(room) };
  }

  /** Why a request may not wait for a commit, if so. */
  refusalOf(name: DecisionName, input: unknown, nowMs: number): Refusal | undefined {
    const { sessionId = "", roomId = "" } = input as Record<string, string>;
    for (const limit of claimLimits[name] ?? []) {
      const who = limit === "claim" ? sessionId : roomId;
      const waitMs = this.#floods[limit].take(who, nowMs);
      if (waitMs === 0) continue;
      const what = limit === "claim" ? "this session" : "this room";
      return {
        refusal: "rate-limited",
        detail: `Too many requests for ${what}: go slower.`,
        retryAfter: Math.ceil(waitMs / 1000),
      };
    }
    return undefined;
  }
}
