import type { Client } from "@libsql/client/web";
import type { Settings } from "#schema/settings.ts";

/** Rows that one sweep deletes of each table, so that it never holds up a commit. */
const chunkRows = 1000;

/**
 * Deletes events and idempotency keys past their keeping time, in chunks.
 * Neither holds a claim, so this needs no fence.
 */
export async function deleteOld(
  client: Client,
  { timing }: Settings,
  nowMs: number,
): Promise<void> {
  await client.batch(
    [
      {
        sql: `DELETE FROM event WHERE rowid IN
          (SELECT rowid FROM event WHERE at_ms < ? LIMIT ${chunkRows})`,
        args: [nowMs - timing.eventKeepMs],
      },
      {
        sql: `DELETE FROM idempotency WHERE rowid IN
          (SELECT rowid FROM idempotency WHERE at_ms < ? LIMIT ${chunkRows})`,
        args: [nowMs - timing.idempotencyKeepMs],
      },
    ],
    "write",
  );
}
