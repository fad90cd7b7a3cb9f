import type { Client } from "@libsql/client/web";
import { asc, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/web";
import { accountOrigin } from "#schema/accounts/origins.ts";

/** The origins whose pages may call for an account. */
export async function originsOf(client: Client, accountId: string): Promise<string[]> {
  const rows = await drizzle(client)
    .select({ origin: accountOrigin.origin })
    .from(accountOrigin)
    .where(eq(accountOrigin.accountId, accountId))
    .orderBy(asc(accountOrigin.origin));
  return rows.map(({ origin }) => origin);
}

/** Replaces an account's origins, all in one go. */
export async function replaceOrigins(
  client: Client,
  accountId: string,
  origins: readonly string[],
): Promise<void> {
  await client.batch(
    [
      { sql: "DELETE FROM account_origin WHERE account_id = ?", args: [accountId] },
      {
        sql: `INSERT INTO account_origin (account_id, origin)
          SELECT DISTINCT ?, value FROM json_each(?)`,
        args: [accountId, JSON.stringify(origins)],
      },
    ],
    "write",
  );
}

/** Whether any account lets pages of an origin call. */
export async function isSomeAccounts(client: Client, origin: string): Promise<boolean> {
  const rows = await drizzle(client)
    .select({ origin: accountOrigin.origin })
    .from(accountOrigin)
    .where(eq(accountOrigin.origin, origin))
    .limit(1);
  return rows.length > 0;
}
