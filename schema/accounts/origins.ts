import { index, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { account } from "./accounts.ts";

/** Whose pages may call for an account: an application's own sites. */
export const accountOrigin = sqliteTable(
  "account_origin",
  {
    accountId: text("account_id")
      .notNull()
      .references(() => account.id),
    /** As browsers name it: scheme, host, and the port where it is not the usual. */
    origin: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.accountId, table.origin] }),
    index("account_origin_origin").on(table.origin),
  ],
);
