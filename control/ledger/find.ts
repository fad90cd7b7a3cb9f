import type { Client } from "@libsql/client/web";
import { and, asc, eq, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/web";
import type { Instruction, OutboxItem } from "#schema/agent/instructions.ts";
import { event, outbox } from "#schema/control/journal.ts";
import { broadcast, room, session } from "#schema/control/rooms.ts";
import { view } from "#schema/control/views.ts";
import type { RoomRow } from "../broker/state.ts";
import type { Numbered } from "../broker/telling.ts";

/** Rows of one answer: bounds its size. */
const pageRows = 500;

/** A node's instructions after `seq`, in order; up to 500. */
export async function outboxAfter(
  client: Client,
  nodeId: string,
  seq: number,
): Promise<OutboxItem[]> {
  const rows = await drizzle(client)
    .select()
    .from(outbox)
    .where(and(eq(outbox.nodeId, nodeId), gt(outbox.seq, seq)))
    .orderBy(asc(outbox.seq))
    .limit(pageRows);
  return rows.map((row) => ({
    seq: row.seq,
    instruction: row.instruction as Instruction,
  }));
}

/** The events of a room's, session's or node's stream after `seq`; up to 500. */
export async function eventsAfter<Event>(
  client: Client,
  streamId: string,
  seq: number,
): Promise<Numbered<Event>[]> {
  const rows = await drizzle(client)
    .select()
    .from(event)
    .where(and(eq(event.streamId, streamId), gt(event.seq, seq)))
    .orderBy(asc(event.seq))
    .limit(pageRows);
  return rows.map(({ seq: at, atMs, event: what }) => ({
    seq: at,
    atMs,
    event: what as Event,
  }));
}

/** The room in which a session, view or broadcast is at home, if it exists. */
export async function roomOf(
  client: Client,
  kind: "session" | "view" | "broadcast",
  id: string,
): Promise<string | undefined> {
  const db = drizzle(client);
  const rows =
    kind === "session"
      ? await db
          .select({ roomId: session.roomId })
          .from(session)
          .where(eq(session.id, id))
      : kind === "view"
        ? await db.select({ roomId: view.roomId }).from(view).where(eq(view.id, id))
        : await db
            .select({ roomId: broadcast.homeRoomId })
            .from(broadcast)
            .where(eq(broadcast.id, id));
  return rows[0]?.roomId;
}

/** An account's rooms after a cursor (a room id), `limit` at most, by id. */
export async function roomsOfAccount(
  client: Client,
  accountId: string,
  after: string,
  limit: number,
): Promise<RoomRow[]> {
  return drizzle(client)
    .select()
    .from(room)
    .where(and(eq(room.accountId, accountId), gt(room.id, after)))
    .orderBy(asc(room.id))
    .limit(limit);
}
