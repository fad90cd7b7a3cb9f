import type { Client } from "@libsql/client/web";
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/web";
import { revocation, revokedKey } from "#schema/sessions/revocations.ts";

/** What is to be asked at an entry: is any of it revoked? */
export interface Entering {
  roomId: string;
  identity: string;
  keyId: string;
  /** When the token was issued, in milliseconds since 1970. */
  issuedAtMs: number;
}

/** Whether an identity's token for a room, or the key behind it, is revoked: one read. */
export async function isRevoked(client: Client, entering: Entering): Promise<boolean> {
  const { roomId, identity, keyId, issuedAtMs } = entering;
  const { rows } = await client.execute({
    sql: `SELECT EXISTS (SELECT 1 FROM revocation
          WHERE room_id = ? AND identity = ? AND before_ms > ?)
        OR EXISTS (SELECT 1 FROM revoked_key WHERE key_id = ?) AS revoked`,
    args: [roomId, identity, issuedAtMs, keyId],
  });
  return Number(rows[0]?.revoked) === 1;
}

/** Whether a key is known to be revoked. */
export async function isKeyRevoked(client: Client, keyId: string): Promise<boolean> {
  const rows = await drizzle(client)
    .select()
    .from(revokedKey)
    .where(eq(revokedKey.keyId, keyId));
  return rows.length > 0;
}

/** Voids an identity's tokens for a room that were issued before a moment. */
export async function insertRevocation(
  client: Client,
  row: typeof revocation.$inferInsert,
): Promise<void> {
  await drizzle(client)
    .insert(revocation)
    .values(row)
    .onConflictDoUpdate({
      target: [revocation.roomId, revocation.identity],
      set: {
        beforeMs: sql`max(${revocation.beforeMs}, ${row.beforeMs})`,
        atMs: row.atMs,
      },
    });
}

/** Notes that a key is revoked. */
export async function insertRevokedKey(
  client: Client,
  keyId: string,
  atMs: number,
): Promise<void> {
  await drizzle(client).insert(revokedKey).values({ keyId, atMs }).onConflictDoNothing();
}

/** Deletes what was revoked before a moment and concerns nothing any more. */
export async function deleteRevocationsBefore(
  client: Client,
  beforeMs: number,
): Promise<void> {
  await client.batch(
    [
      { sql: "DELETE FROM revocation WHERE at_ms < ?", args: [beforeMs] },
      { sql: "DELETE FROM revoked_key WHERE at_ms < ?", args: [beforeMs] },
    ],
    "write",
  );
}
