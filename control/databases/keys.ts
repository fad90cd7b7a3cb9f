import type { Client } from "@libsql/client/web";
import { and, asc, desc, eq, isNull, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/web";
import { account, apiKey } from "#schema/accounts/accounts.ts";
import { entitlement } from "#schema/accounts/entitlements.ts";
import { accountOrigin } from "#schema/accounts/origins.ts";
import { rowsAfter } from "../ledger/pages.ts";
import type { AccountRow } from "./accounts.ts";
import type { EntitlementRow } from "./entitlements.ts";

export type KeyRow = typeof apiKey.$inferSelect;

/** A key with all that a request of its account needs to know. */
export interface KeyWithAccount {
  key: KeyRow;
  account: AccountRow;
  entitlements: EntitlementRow[];
  /** Whose pages may call for the account. */
  origins: string[];
}

/** Reads a key, its account and what that is entitled to, in one round trip. */
export async function readKey(
  client: Client,
  keyId: string,
): Promise<KeyWithAccount | undefined> {
  const db = drizzle(client);
  const ofAccount = sql`(SELECT account_id FROM api_key WHERE id = ${keyId})`;
  const [rows, entitlements, origins] = await db.batch([
    db
      .select()
      .from(apiKey)
      .innerJoin(account, eq(account.id, apiKey.accountId))
      .where(eq(apiKey.id, keyId)),
    db.select().from(entitlement).where(eq(entitlement.accountId, ofAccount)),
    db.select().from(accountOrigin).where(eq(accountOrigin.accountId, ofAccount)),
  ]);
  const row = rows[0];
  return (
    row && {
      key: row.api_key,
      account: row.account,
      entitlements,
      origins: origins.map(({ origin }) => origin),
    }
  );
}

/** The newest key of an account that is not revoked. */
export async function newestKeyIdOf(
  client: Client,
  accountId: string,
): Promise<string | undefined> {
  const rows = await drizzle(client)
    .select({ id: apiKey.id })
    .from(apiKey)
    .where(and(eq(apiKey.accountId, accountId), isNull(apiKey.revokedAtMs)))
    .orderBy(desc(apiKey.createdAtMs), desc(apiKey.id))
    .limit(1);
  return rows[0]?.id;
}

/** All keys of an account, the oldest first. */
export async function keysOfAccount(
  client: Client,
  accountId: string,
): Promise<KeyRow[]> {
  return drizzle(client)
    .select()
    .from(apiKey)
    .where(eq(apiKey.accountId, accountId))
    .orderBy(asc(apiKey.createdAtMs), asc(apiKey.id));
}

/**
 * Adds a key, unless its account has `max` that are not revoked.
 * @returns whether it was added
 */
export async function insertKey(
  client: Client,
  row: KeyRow,
  max: number,
): Promise<boolean> {
  const { rows } = await client.execute({
    sql: `INSERT INTO api_key
        (id, account_id, name, sealed_secret, created_at_ms, last_used_at_ms, revoked_at_ms)
      SELECT ?, ?, ?, ?, ?, NULL, NULL
      WHERE (SELECT count(*) FROM api_key
        WHERE account_id = ? AND revoked_at_ms IS NULL) < ?
      RETURNING id`,
    args: [
      row.id,
      row.accountId,
      row.name,
      row.sealedSecret,
      row.createdAtMs,
      row.accountId,
      max,
    ],
  });
  return rows.length > 0;
}

/**
 * Revokes a key of an account; twice is once.
 * @param keep keys that have to remain: the last one may be protected
 * @returns the key as it is now; undefined where it is none of the account's
 */
export async function revokeKeyRow(
  client: Client,
  key: { accountId: string; keyId: string },
  nowMs: number,
  keep: number,
): Promise<KeyRow | undefined> {
  const db = drizzle(client);
  const own = and(eq(apiKey.id, key.keyId), eq(apiKey.accountId, key.accountId));
  const others = sql`(SELECT count(*) FROM api_key AS other
    WHERE other.account_id = ${key.accountId} AND other.revoked_at_ms IS NULL
      AND other.id <> ${key.keyId})`;
  await db
    .update(apiKey)
    .set({ revokedAtMs: nowMs })
    .where(and(own, isNull(apiKey.revokedAtMs), sql`${others} >= ${keep}`));
  const rows = await db.select().from(apiKey).where(own);
  return rows[0];
}

/** Notes when keys were last used; a later time is never overwritten. */
export async function touchKeys(
  client: Client,
  used: Map<string, number>,
): Promise<void> {
  await client.execute({
    sql: `UPDATE api_key SET last_used_at_ms = used.value ->> 1
      FROM json_each(?) AS used
      WHERE api_key.id = used.value ->> 0
        AND coalesce(api_key.last_used_at_ms, 0) < used.value ->> 1`,
    args: [JSON.stringify([...used])],
  });
}

/** Keys after a cursor (a key's id), to be sealed anew. */
export function keysAfter(
  client: Client,
  after: string,
  limit: number,
): Promise<KeyRow[]> {
  return rowsAfter(client, apiKey, after, limit);
}

/** Replaces a sealed secret, if it still is what it was. */
export async function resealKey(
  client: Client,
  { id, sealedSecret }: Pick<KeyRow, "id" | "sealedSecret">,
  formerly: string,
): Promise<void> {
  await drizzle(client)
    .update(apiKey)
    .set({ sealedSecret })
    .where(and(eq(apiKey.id, id), eq(apiKey.sealedSecret, formerly)));
}
