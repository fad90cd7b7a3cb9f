import { Stripe } from "stripe";
import type { CallAnswer, Control } from "#test/harness/control.ts";

export const stripeSecret = "whsec_dGhlIHNlY3JldCBvZiB0aGUgd2ViaG9vaw";

export interface StripeEvent {
  id: string;
  object: "event";
  type: string;
  created: number;
  data: { object: Record<string, unknown> };
}

let events = 0;

/** An event as Stripe sends it; `at` is in seconds since 1970. */
export function eventOf(
  type: string,
  at: number,
  object: Record<string, unknown>,
): StripeEvent {
  events += 1;
  const id = `evt_${String(events).padStart(6, "0")}`;
  return { id, object: "event", type, created: Math.floor(at), data: { object } };
}

/** Sends an event with the signature that Stripe's own helper makes. */
export async function deliver(
  control: Control,
  event: StripeEvent,
  options: {
    secret?: string;
    timestamp?: number;
    tamper?: (text: string) => string;
  } = {},
): Promise<CallAnswer> {
  const payload = JSON.stringify(event, null, 2);
  const signature = Stripe.webhooks.generateTestHeaderString({
    payload,
    secret: options.secret ?? stripeSecret,
    timestamp: options.timestamp,
  });
  const response = await fetch(new URL("/v1/payments/stripe", control.url), {
    method: "POST",
    headers: { "content-type": "application/json", "stripe-signature": signature },
    body: options.tamper?.(payload) ?? payload,
  });
  const { status, headers } = response;
  return { status, headers, body: await response.json() };
}

export interface Subscription {
  id: string;
  accountId?: string;
  tier?: number;
  status?: string;
  startsAt: number;
  periodEndsAt: number;
  extra?: Record<string, unknown>;
}

/** A subscription's object, as the newest version of Stripe's API has it. */
export function subscriptionOf(of: Subscription): Record<string, unknown> {
  const price = {
    id: "price_room",
    product: "prod_room",
    metadata: of.tier === undefined ? {} : { weir_tier: String(of.tier) },
  };
  const period = {
    current_period_start: of.startsAt,
    current_period_end: of.periodEndsAt,
  };
  return {
    id: of.id,
    object: "subscription",
    status: of.status ?? "active",
    metadata: of.accountId ? { weir_account: of.accountId } : {},
    start_date: of.startsAt,
    cancel_at: null,
    cancel_at_period_end: false,
    ended_at: null,
    items: { object: "list", data: [{ id: "si_1", ...period, price }] },
    ...of.extra,
  };
}

/** A single payment's checkout. */
export function paymentOf(of: {
  intent: string;
  accountId: string;
  tier: number;
  days: number;
  paid?: boolean;
}): Record<string, unknown> {
  return {
    id: `cs_${of.intent}`,
    object: "checkout.session",
    mode: "payment",
    payment_status: of.paid === false ? "unpaid" : "paid",
    payment_intent: of.intent,
    client_reference_id: null,
    metadata: {
      weir_account: of.accountId,
      weir_tier: String(of.tier),
      weir_days: String(of.days),
    },
  };
}
