import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/*
 * What makes tokens void before their time. It is asked at each entry, and lies
 * apart from the ledger so that a flood of entries cannot slow that.
 */

/** An identity's tokens and credentials for a room, issued before a moment, are void. */
export const revocation = sqliteTable(
  "revocation",
  {
    roomId: text("room_id").notNull(),
    identity: text().notNull(),
    /** Milliseconds since 1970; it only ever grows. */
    beforeMs: integer("before_ms").notNull(),
    atMs: integer("at_ms").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.roomId, table.identity] }),
    index("revocation_at").on(table.atMs),
  ],
);

/** API keys that were revoked: read replicas of the accounts may not know yet. */
export const revokedKey = sqliteTable(
  "revoked_key",
  {
    keyId: text("key_id").primaryKey(),
    atMs: integer("at_ms").notNull(),
  },
  (table) => [index("revoked_key_at").on(table.atMs)],
);
