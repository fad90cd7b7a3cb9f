import type { PaymentFacts } from "#schema/premium/facts.ts";
import type { Settings } from "#schema/settings.ts";
import type { PaymentEvent } from "./stripe-facts.ts";

/** What the events of one purchase amount to. */
export interface PurchaseState {
  accountId: string | null;
  tier: number | null;
  startsAtMs: number;
  /** Null while nothing was bought. */
  endsAtMs: number | null;
  /** When it is to be prolonged by itself. */
  renewsAtMs: number | null;
}

type Told = Pick<PaymentEvent, "id" | "happenedAtMs" | "facts">;
type Subscription = Extract<PaymentFacts, { kind: "subscription" }>;

const running = new Set(["active", "trialing"]);

/**
 * Works a purchase out from its events, however often and in whatever order they
 * came: they are put in the order in which they happened.
 */
export function purchaseOf(
  events: Told[],
  settings: Pick<Settings["payments"], "graceMs" | "days">,
): PurchaseState {
  const ordered = events.toSorted(
    (one, other) =>
      one.happenedAtMs - other.happenedAtMs ||
      rankOf(one) - rankOf(other) ||
      (one.id < other.id ? -1 : 1),
  );
  const state: PurchaseState = {
    accountId: null,
    tier: null,
    startsAtMs: ordered[0]?.happenedAtMs ?? 0,
    endsAtMs: null,
    renewsAtMs: null,
  };
  let paid = false;
  const takenBack = new TakenBack();
  for (const { happenedAtMs, facts } of ordered) {
    if (facts.kind === "refund" || facts.kind === "dispute") {
      takenBack.hear(facts, happenedAtMs);
      continue;
    }
    // What a subscription says of itself now counts more than its checkout.
    if (facts.accountId !== undefined) state.accountId = facts.accountId;
    const named = facts.kind === "link" ? (state.tier ?? facts.tier) : facts.tier;
    if (named !== undefined) state.tier = named;
    if (facts.kind === "subscription") {
      state.startsAtMs = facts.startsAtMs;
      Object.assign(state, spanOf(facts, happenedAtMs, settings.graceMs));
    } else if (facts.kind === "payment" && facts.paid && !paid) {
      paid = true;
      state.startsAtMs = happenedAtMs;
      state.endsAtMs = happenedAtMs + (facts.days ?? settings.days) * 86_400_000;
    }
  }
  return { ...state, endsAtMs: takenBack.endOf(state) };
}

/** What was paid and went back, by a refund or the payer's bank. */
class TakenBack {
  #refund: { atMs: number; share: number } | undefined;
  /** Disputes that are open or lost, and since when; one that is won is forgotten. */
  readonly #disputes = new Map<string, number>();

  hear(facts: Extract<PaymentFacts, { kind: "refund" | "dispute" }>, atMs: number): void {
    if (facts.kind === "refund") {
      const { share = 1 } = facts;
      if (share > (this.#refund?.share ?? 0)) this.#refund = { atMs, share };
    } else if (facts.state === "won") this.#disputes.delete(facts.disputeId);
    else if (!this.#disputes.has(facts.disputeId)) {
      this.#disputes.set(facts.disputeId, atMs);
    }
  }

  /**
   * Until when a purchase is good: a part that was refunded takes its share of the
   * time away, of what is still to come; a dispute all of it while it is not won.
   */
  endOf({ startsAtMs, endsAtMs }: PurchaseState): number | null {
    const ends = [...this.#disputes.values()];
    if (endsAtMs !== null) ends.push(endsAtMs);
    if (this.#refund) {
      const { atMs, share } = this.#refund;
      const kept = ((endsAtMs ?? startsAtMs) - startsAtMs) * (1 - share);
      ends.push(Math.max(atMs, startsAtMs + Math.round(kept)));
    }
    return ends.length > 0 ? Math.min(...ends) : null;
  }
}

/** Until when a subscription is good, as it stood at an event. */
function spanOf(
  facts: Subscription,
  happenedAtMs: number,
  graceMs: number,
): Pick<PurchaseState, "endsAtMs" | "renewsAtMs"> {
  const { status, periodStartMs, periodEndMs, cancelAtMs, endedAtMs } = facts;
  if (running.has(status)) {
    if (cancelAtMs !== undefined) return { endsAtMs: cancelAtMs, renewsAtMs: null };
    return { endsAtMs: periodEndMs + graceMs, renewsAtMs: periodEndMs };
  }
  // The new period has begun and is not paid: only the grace is left.
  if (status === "past_due") {
    return { endsAtMs: periodStartMs + graceMs, renewsAtMs: null };
  }
  if (status === "incomplete") return { endsAtMs: null, renewsAtMs: null };
  return { endsAtMs: endedAtMs ?? happenedAtMs, renewsAtMs: null };
}

/** What is taken back was paid before, whatever the provider's clock says. */
function rankOf({ facts }: Told): number {
  if (facts.kind === "refund") return 3;
  if (facts.kind === "dispute") return facts.state === "open" ? 3 : 4;
  return facts.kind === "subscription" ? facts.rank : 0;
}
