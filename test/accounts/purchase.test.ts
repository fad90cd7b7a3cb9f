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
