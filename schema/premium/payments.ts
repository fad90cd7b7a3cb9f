import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { PaymentFacts } from "./facts.ts";

/*
 * What was paid. Only the payment webhook and the sweeper come here, so that
 * nothing else depends on it.
 */

/** One event of the payment provider: stored once, however often it is delivered. */
export const paymentEvent = sqliteTable(
  "payment_event",
  {
    /** The provider's id of the event. */
    id: text().primaryKey(),
    type: text().notNull(),
    purchaseId: text("purchase_id").notNull(),
    /** When it happened, by the provider's clock. */
    happenedAtMs: integer("happened_at_ms").notNull(),
    receivedAtMs: integer("received_at_ms").notNull(),
    /** What of it counts here; no card, name or address is kept. */
    facts: text({ mode: "json" }).$type<PaymentFacts>().notNull(),
  },
  (table) => [index("payment_event_purchase").on(table.purchaseId)],
);

/** What the events of one purchase amount to. */
export const purchase = sqliteTable(
  "purchase",
  {
    /** The provider's id of the subscription or payment. */
    id: text().primaryKey(),
    /** Null where no event has told whose or what it is. */
    accountId: text("account_id"),
    tier: integer(),
    startsAtMs: integer("starts_at_ms").notNull(),
    endsAtMs: integer("ends_at_ms"),
    renewsAtMs: integer("renews_at_ms"),
    /** How many events it is worked out from: it grows, and the newest wins. */
    events: integer().notNull(),
    /** How many of them the accounts database has heard of. */
    carriedEvents: integer("carried_events").notNull(),
    /** Why it cannot be carried there, where an operator has to look. */
    trouble: text(),
  },
  (table) => [index("purchase_uncarried").on(table.carriedEvents, table.events)],
);
