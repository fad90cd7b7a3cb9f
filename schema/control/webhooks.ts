import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Where an account wants to hear of its rooms, or the operator of the hosts. */
export const webhook = sqliteTable(
  "webhook",
  {
    id: text().primaryKey(),
    accountId: text("account_id").notNull(),
    url: text().notNull(),
    /** Signs what is delivered, as Standard Webhooks do; encrypted. */
    secret: text().notNull(),
    /** The names wanted; empty: all of them. */
    events: text({ mode: "json" }).$type<string[]>().notNull(),
    /** Events up to this id are not delivered: they were before its time. */
    afterEventId: integer("after_event_id").notNull(),
    createdAtMs: integer("created_at_ms").notNull(),
  },
  (table) => [index("webhook_account").on(table.accountId)],
);
