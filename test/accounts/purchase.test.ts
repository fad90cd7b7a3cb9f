import fc from "fast-check";
import { expect, test } from "vitest";
import { purchaseOf } from "#control/premium/purchase.ts";
import { readStripeEvent } from "#control/premium/stripe-facts.ts";
import { eventOf, paymentOf, subscriptionOf } from "./stripe.ts";

const day = 86_400;
const dayMs = day * 1000;
const settings = { graceMs: 3 * dayMs, days: 30 };
const startsAt = 1_790_000_000;
const of = { id: "sub", accountId: "account_local_a", startsAt };

function told(type: string, at: number, object: Record<string, unknown>) {
  const event = readStripeEvent(eventOf(type, at, object), { price_room: 1 });
  if (!event) throw new Error(`${type} was not understood`);
  return event;
}

const month = (from: number) => from + 30 * day;

/** A subscription's life: bought, renewed, unpaid, paid after all, given up. */
const life = [
  told("checkout.session.completed", startsAt, {
    id: "cs",
    mode: "subscription",
    subscription: "sub",
    payment_status: "paid",
    client_reference_id: "account_local_a",
    metadata: {},
  }),
  told(
    "customer.subscription.created",
    startsAt,
    subscriptionOf({
      ...of,
      tier: 2,
      status: "incomplete",
      periodEndsAt: month(startsAt),
    }),
  ),
  told(
    "customer.subscription.updated",
    startsAt,
    subscriptionOf({ ...of, tier: 2, periodEndsAt: month(startsAt) }),
  ),
  told(
    "customer.subscription.updated",
    month(startsAt),
    subscriptionOf({
      ...of,
      startsAt,
      tier: 2,
      status: "past_due",
      periodEndsAt: month(month(startsAt)),
    }),
  ),
  told(
    "customer.subscription.updated",
    month(startsAt) + day,
    subscriptionOf({ ...of, tier: 4, periodEndsAt: month(month(startsAt)) }),
  ),
  told(
    "customer.subscription.deleted",
    month(startsAt) + 2 * day,
    subscriptionOf({
      ...of,
      tier: 4,
      status: "canceled",
      periodEndsAt: month(month(startsAt)),
      extra: { ended_at: month(startsAt) + 2 * day },
    }),
  ),
];

test("every order of a subscription's events comes to the same, and so do doubles", () => {
  const lives = fc.integer({ min: 1, max: life.length }).chain((length) => {
    const known = life.slice(0, length);
    return fc.tuple(
      fc.constant(known),
      fc.shuffledSubarray(known, { minLength: length, maxLength: length }),
    );
  });
  fc.assert(
    fc.property(lives, ([inOrder, shuffled]) => {
      expect(purchaseOf(shuffled, settings)).toEqual(purchaseOf(inOrder, settings));
    }),
    { numRuns: 500 },
  );
});

test("each step of a subscription's life means what it should", () => {
  const after = (events: number) => purchaseOf(life.slice(0, events), settings);
  const bought = { accountId: "account_local_a", tier: 2 };
  // Created and not paid yet: nothing was bought.
  expect(after(2)).toMatchObject({ ...bought, endsAtMs: null });
  expect(after(3)).toMatchObject({
    ...bought,
    endsAtMs: month(startsAt) * 1000 + 3 * dayMs,
    renewsAtMs: month(startsAt) * 1000,
  });
  // A period that began unpaid has its grace, and not the whole period.
  expect(after(4).endsAtMs).toBeLessThan(month(month(startsAt)) * 1000);
  expect(after(5)).toMatchObject({
    tier: 4,
    endsAtMs: month(month(startsAt)) * 1000 + 3 * dayMs,
  });
  expect(after(6)).toMatchObject({
    endsAtMs: (month(startsAt) + 2 * day) * 1000,
    renewsAtMs: null,
  });
});

test("one that is to end with its period ends there, without the grace", () => {
  const event = told(
    "customer.subscription.updated",
    startsAt + day,
    subscriptionOf({
      ...of,
      tier: 2,
      periodEndsAt: month(startsAt),
      extra: { cancel_at_period_end: true },
    }),
  );
  expect(purchaseOf([event], settings)).toMatchObject({
    endsAtMs: month(startsAt) * 1000,
    renewsAtMs: null,
  });
});

test("the tier is the price's, else that of the settings; an older API's period is read too", () => {
  const extra = {
    items: {
      data: [{ price: { id: "price_room", product: "prod_room", metadata: {} } }],
    },
    current_period_start: startsAt,
    current_period_end: month(startsAt),
  };
  const object = subscriptionOf({ ...of, periodEndsAt: 0, extra });
  const event = told("customer.subscription.created", startsAt, object);
  expect(event.facts).toMatchObject({ tier: 1, periodEndMs: month(startsAt) * 1000 });
});

test("a payment counts from when it was paid; an event of another kind is none", () => {
  const checkout = { intent: "pi", accountId: "account_local_a", tier: 3, days: 10 };
  const pending = told(
    "checkout.session.completed",
    startsAt,
    paymentOf({ ...checkout, paid: false }),
  );
  expect(purchaseOf([pending], settings).endsAtMs).toBeNull();
  const paid = told(
    "checkout.session.async_payment_succeeded",
    startsAt + 2 * day,
    paymentOf(checkout),
  );
  expect(purchaseOf([paid, pending], settings)).toMatchObject({
    tier: 3,
    startsAtMs: (startsAt + 2 * day) * 1000,
    endsAtMs: (startsAt + 12 * day) * 1000,
  });
  const other = eventOf("customer.created", startsAt, { id: "cus" });
  expect(readStripeEvent(other, {})).toBeUndefined();
});

const paidFor = told(
  "checkout.session.completed",
  startsAt,
  paymentOf({ intent: "pi", accountId: "account_local_a", tier: 3, days: 10 }),
);
const refundOf = (at: number, amount_refunded: number) => {
  const charge = { payment_intent: "pi", amount: 1000, amount_refunded };
  const refunded = amount_refunded === 1000;
  return told("charge.refunded", startsAt + at * day, { ...charge, refunded });
};
const disputeOf = (at: number, status: string, closed = false) =>
  told(`charge.dispute.${closed ? "closed" : "created"}`, startsAt + at * day, {
    id: "dp",
    payment_intent: "pi",
    status,
  });
/** After how many days it ends. */
const endsAfter = (...events: ReturnType<typeof told>[]) => {
  const { endsAtMs } = purchaseOf(events, settings);
  return ((endsAtMs ?? 0) - startsAt * 1000) / dayMs;
};

test("a part that is refunded takes its share of the time, of what is still to come", () => {
  expect(endsAfter(paidFor, refundOf(1, 400))).toBe(6);
  expect(endsAfter(refundOf(1, 400), paidFor)).toBe(6);
  // What was used was used; and what is given back later counts all that was before.
  expect(endsAfter(paidFor, refundOf(8, 400))).toBe(8);
  expect(endsAfter(paidFor, refundOf(1, 400), refundOf(2, 700))).toBe(3);
  expect(endsAfter(paidFor, refundOf(1, 400), refundOf(2, 1000))).toBe(2);
  // After its end there is nothing left to take.
  expect(endsAfter(paidFor, refundOf(12, 1000))).toBe(10);
});

test("a disputed payment entitles to nothing until the dispute is won", () => {
  const open = disputeOf(2, "needs_response");
  expect(endsAfter(paidFor, open)).toBe(2);
  const [won, lost] = [disputeOf(5, "won", true), disputeOf(5, "lost", true)];
  for (const events of [
    [paidFor, open, won],
    [won, open, paidFor],
  ]) {
    expect(endsAfter(...events)).toBe(10);
  }
  expect(endsAfter(lost, paidFor, open)).toBe(2);
  expect(endsAfter(paidFor, open, won, refundOf(6, 500))).toBe(6);
  const question = { id: "dp", payment_intent: "pi", status: "warning_needs_response" };
  const event = eventOf("charge.dispute.created", startsAt, question);
  expect(readStripeEvent(event, {})).toBeUndefined();
});
