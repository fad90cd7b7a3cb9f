import type { Client } from "@libsql/client/web";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/web";
import { webhook } from "#schema/control/webhooks.ts";
import { rowsAfter } from "./pages.ts";

export type WebhookRow = typeof webhook.$inferSelect;

/** One event as webhooks read it: in the order of the zone's commits. */
export interface AccountEvent {
  id: number;
  roomId: string | undefined;
  roomName: string | undefined;
  seq: number;
  atMs: number;
  event: { type: string; [field: string]: unknown };
}

/** Under this the operator's webhooks stand where others' account stands. */
export const operatorId = "operator";

/** Rows that one look goes over at most. */
const scanRows = 1000;

/** An account's webhooks. */
export function webhooksOf(client: Client, accountId: string): Promise<WebhookRow[]> {
  return drizzle(client).select().from(webhook).where(eq(webhook.accountId, accountId));
}

/** Webhooks of all accounts after a cursor (a webhook's id), by id. */
export function webhooksAfter(
  client: Client,
  after: string,
  limit: number,
): Promise<WebhookRow[]> {
  return rowsAfter(client, webhook, after, limit);
}

/** The id of the zone's last event. */
export async function lastEventId(client: Client): Promise<number> {
  const { rows } = await client.execute("SELECT coalesce(max(id), 0) AS last FROM event");
  return Number(rows[0]?.last);
}

/**
 * Reads on in the zone's events, for one account: those of its rooms' streams and
 * its own; for the operator, those of nodes, which concern no account.
 * @returns the events found, and the id up to which there is nothing more of them
 */
export async function accountEventsAfter(
  client: Client,
  accountId: string,
  afterId: number,
): Promise<{ events: AccountEvent[]; scannedId: number }> {
  const { rows } = await client.execute({
    sql: `SELECT e.id, e.stream_id, e.room_id, e.seq, e.at_ms, e.event, room.name AS name,
        room.account_id AS account_id
      FROM (SELECT * FROM event WHERE id > ? ORDER BY id LIMIT ${scanRows}) AS e
      LEFT JOIN room ON room.id = e.room_id ORDER BY e.id`,
    args: [afterId],
  });
  const events = rows
    .filter((row) => row.room_id === null || row.account_id === accountId)
    // A session's own stream holds what is for that session alone.
    .filter((row) => row.room_id === null || row.room_id === row.stream_id)
    .map((row) => ({
      id: Number(row.id),
      roomId: row.room_id === null ? undefined : String(row.room_id),
      roomName: row.name === null ? undefined : String(row.name),
      seq: Number(row.seq),
      atMs: Number(row.at_ms),
      event: JSON.parse(String(row.event)) as AccountEvent["event"],
    }))
    .filter(
      ({ roomId, event: { accountId: whose = operatorId } }) =>
        roomId !== undefined || whose === accountId,
    );
  return { events, scannedId: Number(rows.at(-1)?.id ?? afterId) };
}
