import { z } from "zod";
import type { PaymentFacts } from "#schema/premium/facts.ts";

/** A payment event as it is stored: what it is about, and what counts of it. */
export interface PaymentEvent {
  id: string;
  type: string;
  /** The subscription or single payment that it is about. */
  purchaseId: string;
  happenedAtMs: number;
  facts: PaymentFacts;
}

const text = z.string().max(255);
const id = text.or(z.object({ id: text }).transform((object) => object.id));
const seconds = z.number().nonnegative();
const metadata = z.record(z.string(), z.string()).nullish();

const envelope = z.object({
  id: text,
  type: text,
  created: seconds,
  data: z.object({ object: z.unknown() }),
});

const subscription = z.object({
  id: text,
  status: text,
  metadata,
  start_date: seconds,
  cancel_at: seconds.nullish(),
  cancel_at_period_end: z.boolean().nullish(),
  ended_at: seconds.nullish(),
  // Older versions of Stripe's API have the period here, newer ones in the items.
  current_period_start: seconds.nullish(),
  current_period_end: seconds.nullish(),
  items: z.object({
    data: z.array(
      z.object({
        current_period_start: seconds.nullish(),
        current_period_end: seconds.nullish(),
        price: z.object({ id: text, metadata, product: id.nullish() }),
      }),
    ),
  }),
});

const checkout = z.object({
  id: text,
  mode: text,
  payment_status: text,
  client_reference_id: text.nullish(),
  payment_intent: id.nullish(),
  subscription: id.nullish(),
  metadata,
});

const charge = z.object({
  payment_intent: id.nullish(),
  refunded: z.boolean(),
  amount: z.number().nonnegative().nullish(),
  amount_refunded: z.number().nonnegative().nullish(),
});

const dispute = z.object({ id: text, payment_intent: id.nullish(), status: text });

/**
 * Reads an event of Stripe's, whose signature was checked. Metadata tell whom and
 * what it is for: `weir_account`, `weir_tier` (of the price too) and `weir_days`.
 * @param tierOf tiers by price or product id, for those without metadata
 * @returns undefined for an event that does not concern entitlements
 * @throws Error where an event of a known type has another shape
 */
export function readStripeEvent(
  event: unknown,
  tierOf: Record<string, number>,
): PaymentEvent | undefined {
  const { id: eventId, type, created, data } = envelope.parse(event);
  const read = readers[type];
  const found = read?.(data.object, type, tierOf);
  return found && { id: eventId, type, happenedAtMs: created * 1000, ...found };
}

type Found = Pick<PaymentEvent, "purchaseId" | "facts">;
type Reader = (
  object: unknown,
  type: string,
  tierOf: Record<string, number>,
) => Found | undefined;

const readers: Record<string, Reader | undefined> = {
  "customer.subscription.created": readSubscription,
  "customer.subscription.updated": readSubscription,
  "customer.subscription.paused": readSubscription,
  "customer.subscription.resumed": readSubscription,
  "customer.subscription.deleted": readSubscription,
  "checkout.session.completed": readCheckout,
  "checkout.session.async_payment_succeeded": readCheckout,
  "charge.refunded": readRefund,
  "charge.dispute.created": readDispute,
  "charge.dispute.closed": readDispute,
};

function readSubscription(
  object: unknown,
  type: string,
  tierOf: Record<string, number>,
): Found {
  const read = subscription.parse(object);
  const items = read.items.data;
  const tiers = items.map(({ price }) => {
    const known = tierOf[price.id] ?? tierOf[price.product ?? ""];
    return tierIn(price.metadata) ?? known;
  });
  const known = tiers.filter((tier) => tier !== undefined);
  const { current_period_start: start, current_period_end: end } = read;
  const starts = items.map((item) => item.current_period_start ?? start ?? 0);
  const ends = items.map((item) => item.current_period_end ?? end ?? 0);
  const periodEndMs = Math.max(0, ...ends) * 1000;
  const requested = read.cancel_at_period_end ? periodEndMs : undefined;
  return {
    purchaseId: read.id,
    facts: {
      kind: "subscription",
      accountId: read.metadata?.weir_account,
      tier: known.length > 0 ? Math.max(...known) : tierIn(read.metadata),
      rank: ranks[type] ?? 1,
      status: read.status,
      startsAtMs: read.start_date * 1000,
      periodStartMs: Math.max(0, ...starts) * 1000,
      periodEndMs,
      cancelAtMs: read.cancel_at ? read.cancel_at * 1000 : requested,
      endedAtMs: read.ended_at ? read.ended_at * 1000 : undefined,
    },
  };
}

const ranks: Record<string, number> = {
  "customer.subscription.created": 0,
  "customer.subscription.deleted": 2,
};

function readCheckout(object: unknown): Found | undefined {
  const read = checkout.parse(object);
  const accountId = read.metadata?.weir_account ?? read.client_reference_id ?? undefined;
  const tier = tierIn(read.metadata);
  if (read.mode === "subscription" && read.subscription) {
    return { purchaseId: read.subscription, facts: { kind: "link", accountId, tier } };
  }
  if (read.mode !== "payment") return undefined;
  const days = Number(read.metadata?.weir_days);
  return {
    purchaseId: read.payment_intent ?? read.id,
    facts: {
      kind: "payment",
      accountId,
      tier,
      paid: read.payment_status !== "unpaid",
      days: Number.isInteger(days) && days > 0 ? days : undefined,
    },
  };
}

function readRefund(object: unknown): Found | undefined {
  const read = charge.parse(object);
  const { payment_intent: purchaseId, refunded, amount, amount_refunded } = read;
  if (!purchaseId) return undefined;
  const part = amount && amount_refunded ? amount_refunded / amount : 0;
  const share = refunded ? 1 : Math.min(1, part);
  return share > 0 ? { purchaseId, facts: { kind: "refund", share } } : undefined;
}

function readDispute(object: unknown, type: string): Found | undefined {
  const { id: disputeId, payment_intent: purchaseId, status } = dispute.parse(object);
  // A bank's mere question (warning_…) takes no money away.
  if (!purchaseId || status.startsWith("warning_")) return undefined;
  const closed = status === "won" ? "won" : "lost";
  const state = type === "charge.dispute.created" ? "open" : closed;
  return { purchaseId, facts: { kind: "dispute", disputeId, state } };
}

function tierIn(found: Record<string, string> | null | undefined): number | undefined {
  const tier = found?.weir_tier;
  return tier !== undefined && /^\d{1,2}$/.test(tier) && Number(tier) < 64
    ? Number(tier)
    : undefined;
}
