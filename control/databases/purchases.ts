import type { Client } from "@libsql/client/web";
import { eq, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/web";
import { paymentEvent, purchase } from "#schema/premium/payments.ts";

export type PaymentEventRow = typeof paymentEvent.$inferSelect;
export type PurchaseRow = typeof purchase.$inferSelect;

/** Stores an event, once. @returns all events of its purchase */
export async function storePaymentEvent(
  client: Client,
  row: PaymentEventRow,
): Promise<PaymentEventRow[]> {
  const db = drizzle(client);
  await db.insert(paymentEvent).values(row).onConflictDoNothing();
  return db
    .select()
    .from(paymentEvent)
    .where(eq(paymentEvent.purchaseId, row.purchaseId));
}

/**
 * Writes down what a purchase amounts to, unless more of its events are known
 * there by now.
 */
export async function putPurchase(client: Client, row: PurchaseRow): Promise<void> {
  const { id: _, carriedEvents: __, ...state } = row;
  await drizzle(client)
    .insert(purchase)
    .values(row)
    .onConflictDoUpdate({
      target: purchase.id,
      set: state,
      setWhere: sql`excluded.events > ${purchase.events}`,
    });
}

/** Purchases of whose newest state the accounts have not heard yet. */
export async function uncarriedPurchases(
  client: Client,
  limit: number,
): Promise<PurchaseRow[]> {
  return drizzle(client)
    .select()
    .from(purchase)
    .where(lt(purchase.carriedEvents, purchase.events))
    .limit(limit);
}

/** Notes that the accounts have heard of a state, or why they cannot. */
export async function markCarried(
  client: Client,
  { id, events }: Pick<PurchaseRow, "id" | "events">,
  trouble: string | null,
): Promise<void> {
  await drizzle(client)
    .update(purchase)
    .set({
      trouble,
      ...(trouble === null
        ? { carriedEvents: sql`max(${purchase.carriedEvents}, ${events})` }
        : {}),
    })
    .where(eq(purchase.id, id));
}
