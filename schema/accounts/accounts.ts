import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/* Who may use the deployment. Room entry reads it, from a replica where there is one. */

export const account = sqliteTable("account", {
  id: text().primaryKey(),
  name: text().notNull(),
  /** A suspended account's keys and tokens are refused; what runs goes on. */
  state: text({ enum: ["active", "suspended"] }).notNull(),
  /** Entitled to every tier, with nothing bought. */
  everyTier: integer("every_tier", { mode: "boolean" }).notNull(),
  /** What it may hold at once, in each zone; null: what the deployment allows. */
  roomsMax: integer("rooms_max"),
  sessionsMax: integer("sessions_max"),
  pointsMax: integer("points_max"),
  egressMaxKbps: integer("egress_max_kbps"),
  /** Raised by every change of them, so that late news of older ones is known. */
  capsVersion: integer("caps_version").notNull().default(0),
  createdAtMs: integer("created_at_ms").notNull(),
});

/** A key of an account; it may have several, so that they can be rotated. */
export const apiKey = sqliteTable(
  "api_key",
  {
    id: text().primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => account.id),
    name: text().notNull(),
    /** The secret, encrypted: it has to verify tokens, so a hash would not do. */
    sealedSecret: text("sealed_secret").notNull(),
    createdAtMs: integer("created_at_ms").notNull(),
    /** Written lazily, some minutes apart. */
    lastUsedAtMs: integer("last_used_at_ms"),
    revokedAtMs: integer("revoked_at_ms"),
  },
  (table) => [index("api_key_account").on(table.accountId)],
);
