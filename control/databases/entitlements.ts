import type { Client } from "@libsql/client/web";
import { and, asc, eq, gt, isNull, or } from "drizzle-orm";
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
