import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { account } from "./accounts.ts";

/** Lets an account open rooms up to a tier, for a time. */
export const entitlement = sqliteTable(
  "entitlement",
  {
    id: text().primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => account.id),
    tier: integer().notNull(),
    startsAtMs: integer("starts_at_ms").notNull(),
    /** Null: until it is ended by hand. */
    endsAtMs: integer("ends_at_ms"),
    /** When it is to be prolonged by itself; until then its end is no news. */
    renewsAtMs: integer("renews_at_ms"),
    source: text({ enum: ["operator", "payment"] }).notNull(),
    /** The purchase that it comes from, for one that was paid for. */
    purchaseId: text("purchase_id").unique(),
    /** How many events of the purchase it knows: an older state never overwrites it. */
    purchaseEvents: integer("purchase_events").notNull(),
    /** The end of which the account was warned. */
    warnedOfEndMs: integer("warned_of_end_ms"),
  },
  (table) => [
    index("entitlement_account").on(table.accountId),
    index("entitlement_end").on(table.endsAtMs),
    check("entitlement_tier", sql`${table.tier} BETWEEN 0 AND 63`),
  ],
);
