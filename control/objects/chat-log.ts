import type { ChatMessage } from "#schema/channel.ts";

/** Old messages are deleted once in so many. */
const trimEvery = 32;

/**
 * The chat of the rooms that one channel object serves, in the object's own
 * storage: history, who is muted, and which messages came before.
 */
export class ChatLog {
  readonly #sql: SqlStorage;
  readonly #historyMax: number;
  readonly #lastSeq = new Map<string, number>();

  /** @param historyMax messages that a room keeps */
  constructor(sql: SqlStorage, historyMax: number) {
    this.#sql = sql;
    this.#historyMax = historyMax;
    sql.exec(`CREATE TABLE IF NOT EXISTS message (
      room_id TEXT NOT NULL, seq INTEGER NOT NULL, at_ms INTEGER NOT NULL,
      session_id TEXT NOT NULL, identity TEXT NOT NULL, client_id TEXT NOT NULL,
      text TEXT, PRIMARY KEY (room_id, seq)) WITHOUT ROWID`);
    sql.exec(`CREATE UNIQUE INDEX IF NOT EXISTS message_once
      ON message (room_id, identity, client_id)`);
    sql.exec(`CREATE TABLE IF NOT EXISTS muted (
      room_id TEXT NOT NULL, identity TEXT NOT NULL,
      PRIMARY KEY (room_id, identity)) WITHOUT ROWID`);
  }

  /** The place of a message that this identity sent before under this client id. */
  sentBefore(roomId: string, identity: string, clientId: string) {
    const [row] = this.#sql.exec<{ seq: number; at_ms: number }>(
      "SELECT seq, at_ms FROM message WHERE room_id = ? AND identity = ? AND client_id = ?",
      roomId,
      identity,
      clientId,
    );
    return row && { seq: row.seq, atMs: row.at_ms };
  }

  /** Keeps a message and gives it the room's next number. */
  add(roomId: string, clientId: string, message: Omit<ChatMessage, "seq">): ChatMessage {
    const seq = this.#lastSeqOf(roomId) + 1;
    const { atMs, sessionId, identity, text } = message;
    this.#sql.exec(
      "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)",
      roomId,
      seq,
      atMs,
      sessionId,
      identity,
      clientId,
      text,
    );
    this.#lastSeq.set(roomId, seq);
    if (seq % trimEvery === 0) {
      const until = seq - this.#historyMax;
      this.#sql.exec("DELETE FROM message WHERE room_id = ? AND seq <= ?", roomId, until);
    }
    return { seq, ...message };
  }

  /** What a newcomer gets: the newest messages after `afterSeq`, oldest first. */
  history(roomId: string, afterSeq: number): ChatMessage[] {
    const rows = this.#sql.exec<{
      seq: number;
      at_ms: number;
      session_id: string;
      identity: string;
      text: string;
    }>(
      `SELECT seq, at_ms, session_id, identity, text FROM message
        WHERE room_id = ? AND seq > ? AND text IS NOT NULL ORDER BY seq DESC LIMIT ?`,
      roomId,
      afterSeq,
      this.#historyMax,
    );
    return [...rows].reverse().map((row) => ({
      seq: row.seq,
      atMs: row.at_ms,
      sessionId: row.session_id,
      identity: row.identity,
      text: row.text,
    }));
  }

  /** The numbers of messages up to `untilSeq` that were deleted, as far as is kept. */
  deletedUpTo(roomId: string, untilSeq: number): number[] {
    const rows = this.#sql.exec<{ seq: number }>(
      "SELECT seq FROM message WHERE room_id = ? AND seq <= ? AND text IS NULL",
      roomId,
      untilSeq,
    );
    return [...rows].map(({ seq }) => seq);
  }

  /** Whose message it is; undefined where there is none. */
  authorOf(roomId: string, seq: number): string | undefined {
    const [row] = this.#sql.exec<{ identity: string }>(
      "SELECT identity FROM message WHERE room_id = ? AND seq = ? AND text IS NOT NULL",
      roomId,
      seq,
    );
    return row?.identity;
  }

  /** Its text goes, its number stays taken. */
  delete(roomId: string, seq: number): void {
    const sql = "UPDATE message SET text = NULL WHERE room_id = ? AND seq = ?";
    this.#sql.exec(sql, roomId, seq);
  }

  isMuted(roomId: string, identity: string): boolean {
    const rows = this.#sql.exec(
      "SELECT 1 FROM muted WHERE room_id = ? AND identity = ?",
      roomId,
      identity,
    );
    return [...rows].length > 0;
  }

  /** The identities that are muted in a room. */
  mutedIn(roomId: string): string[] {
    const rows = this.#sql.exec<{ identity: string }>(
      "SELECT identity FROM muted WHERE room_id = ?",
      roomId,
    );
    return [...rows].map(({ identity }) => identity);
  }

  setMuted(roomId: string, identity: string, muted: boolean): void {
    const sql = muted
      ? "INSERT OR IGNORE INTO muted VALUES (?, ?)"
      : "DELETE FROM muted WHERE room_id = ? AND identity = ?";
    this.#sql.exec(sql, roomId, identity);
  }

  /** A closed room's chat goes with it. */
  forget(roomId: string): void {
    for (const table of ["message", "muted"]) {
      this.#sql.exec(`DELETE FROM ${table} WHERE room_id = ?`, roomId);
    }
    this.#lastSeq.delete(roomId);
  }

  #lastSeqOf(roomId: string): number {
    const known = this.#lastSeq.get(roomId);
    if (known !== undefined) return known;
    const { seq } = this.#sql
      .exec<{ seq: number }>(
        "SELECT coalesce(max(seq), 0) AS seq FROM message WHERE room_id = ?",
        roomId,
      )
      .one();
    this.#lastSeq.set(roomId, seq);
    return seq;
  }
}
