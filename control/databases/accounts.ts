import type { Client } from "@libsql/client/web";
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/web";
import { account } from "#schema/accounts/accounts.ts";
import { rowsAfter } from "../ledger/pages.ts";

export type AccountRow = typeof account.$inferSelect;

/** Adds an account; one that is there already stays as it is. */
export async function insertAccount(
  client: Client,
  row: typeof account.$inferInsert,
): Promise<void> {
  await drizzle(client).insert(account).values(row).onConflictDoNothing();
}

/** An account, or undefined where there is none. */
export async function readAccount(
  client: Client,
  accountId: string,
): Promise<AccountRow | undefined> {
  const found = drizzle(client).select().from(account).where(eq(account.id, accountId));
  return (await found)[0];
}

/** Accounts after a cursor (an account's id), `limit` at most, by id. */
export function accountsAfter(
  client: Client,
  after: string,
  limit: number,
): Promise<AccountRow[]> {
  return rowsAfter(client, account, after, limit);
}

/** What may be changed of an account. */
export type AccountChange = Partial<
  Pick<
    AccountRow,
    | "name"
    | "state"
    | "everyTier"
    | "roomsMax"
    | "pointsMax"
    | "sessionsMax"
    | "egressMaxKbps"
  >
>;

/** Changes an account. @returns it as it is now, or undefined where there is none */
export async function updateAccount(
  client: Client,
  accountId: string,
  change: AccountChange,
): Promise<AccountRow | undefined> {
  const { roomsMax, pointsMax, sessionsMax, egressMaxKbps } = change;
  const caps = [roomsMax, pointsMax, sessionsMax, egressMaxKbps];
  const versions = caps.some((cap) => cap !== undefined) ? 1 : 0;
  // An empty change is no SQL: it writes the id over itself.
  const rows = await drizzle(client)
    .update(account)
    .set({
      id: sql`${account.id}`,
      capsVersion: sql`${account.capsVersion} + ${versions}`,
      ...change,
    })
    .where(eq(account.id, accountId))
    .returning();
  return rows[0];
}
