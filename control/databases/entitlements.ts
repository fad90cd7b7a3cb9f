import type { Client } from "@libsql/client/web";
import { and, asc, eq, gt, isNull, or, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/web";
import { entitlement } from "#schema/accounts/entitlements.ts";

export type EntitlementRow = typeof entitlement.$inferSelect;

/** An account's entitlements, ended ones included. */
export async function entitlementsOf(
  client: Client,
  accountId: string,
): Promise<EntitlementRow[]> {
  return drizzle(client)
    .select()
    .from(entitlement)
    .where(eq(entitlement.accountId, accountId))
    .orderBy(asc(entitlement.startsAtMs), asc(entitlement.id));
}

/** Adds an entitlement that an operator grants. */
export async function insertEntitlement(
  client: Client,
  row: EntitlementRow,
): Promise<void> {
  await drizzle(client).insert(entitlement).values(row);
}

/**
 * Ends an entitlement of an account now, if it has not ended.
 * @returns it as it is now; undefined where it is none of the account's
 */
export async function endEntitlementRow(
  client: Client,
  of: { accountId: string; entitlementId: string },
  nowMs: number,
): Promise<EntitlementRow | undefined> {
  const db = drizzle(client);
  const own = and(
    eq(entitlement.id, of.entitlementId),
    eq(entitlement.accountId, of.accountId),
  );
  const endsLater = or(isNull(entitlement.endsAtMs), gt(entitlement.endsAtMs, nowMs));
  await db.update(entitlement).set({ endsAtMs: nowMs }).where(and(own, endsLater));
  const rows = await db.select().from(entitlement).where(own);
  return rows[0];
}

/**
 * Brings a purchase's entitlement to what its events amount to. An older state,
 * by the number of events that it knows, never overwrites a newer one.
 * @returns whether the account exists
 */
export async function putPurchased(
  client: Client,
  row: EntitlementRow & { purchaseId: string },
): Promise<boolean> {
  const { rows } = await client.execute({
    sql: `INSERT INTO entitlement (id, account_id, tier, starts_at_ms, ends_at_ms,
        renews_at_ms, source, purchase_id, purchase_events, warned_of_end_ms)
      SELECT ?, id, ?, ?, ?, ?, 'payment', ?, ?, NULL FROM account WHERE id = ?
      ON CONFLICT (purchase_id) DO UPDATE SET account_id = excluded.account_id,
        tier = excluded.tier, starts_at_ms = excluded.starts_at_ms,
        ends_at_ms = excluded.ends_at_ms, renews_at_ms = excluded.renews_at_ms,
        purchase_events = excluded.purchase_events
        WHERE excluded.purchase_events > entitlement.purchase_events
      RETURNING id`,
    args: [
      row.id,
      row.tier,
      row.startsAtMs,
      row.endsAtMs,
      row.renewsAtMs,
      row.purchaseId,
      row.purchaseEvents,
      row.accountId,
    ],
  });
  if (rows.length > 0) return true;
  const known = await client.execute({
    sql: "SELECT 1 FROM account WHERE id = ?",
    args: [row.accountId],
  });
  return known.rows.length > 0;
}

/** Entitlements that end before a moment, of whose end nobody was warned yet. */
export async function unwarnedBefore(
  client: Client,
  nowMs: number,
  beforeMs: number,
  limit: number,
): Promise<EntitlementRow[]> {
  return drizzle(client)
    .select()
    .from(entitlement)
    .where(
      and(
        sql`${entitlement.endsAtMs} BETWEEN ${nowMs} AND ${beforeMs}`,
        sql`${entitlement.warnedOfEndMs} IS NOT ${entitlement.endsAtMs}`,
        sql`coalesce(${entitlement.renewsAtMs}, 0) <= ${nowMs}`,
      ),
    )
    .orderBy(asc(entitlement.endsAtMs))
    .limit(limit);
}

/** Notes of which end an account was warned. */
export async function markWarned(
  client: Client,
  { id, endsAtMs }: Pick<EntitlementRow, "id" | "endsAtMs">,
): Promise<void> {
  await drizzle(client)
    .update(entitlement)
    .set({ warnedOfEndMs: endsAtMs })
    .where(eq(entitlement.id, id));
}
