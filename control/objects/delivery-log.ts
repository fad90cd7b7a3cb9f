import type { Deliveries, WebhookEventName } from "#schema/api/webhooks.ts";

/** Attempts that are kept of each endpoint. */
const attemptsKept = 100;

interface Attempt {
  eventId: number;
  type: WebhookEventName;
  atMs: number;
  ok: boolean;
  outcome: string;
}

/** How far each endpoint is, and what its last attempts came to. */
export class DeliveryLog {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(`CREATE TABLE IF NOT EXISTS endpoint (
      id TEXT PRIMARY KEY, delivered_event_id INTEGER NOT NULL,
      failures INTEGER NOT NULL, next_attempt_at_ms INTEGER NOT NULL) WITHOUT ROWID`);
    sql.exec(`CREATE TABLE IF NOT EXISTS attempt (
      id INTEGER PRIMARY KEY, endpoint_id TEXT NOT NULL, event_id INTEGER NOT NULL,
      type TEXT NOT NULL, at_ms INTEGER NOT NULL, ok INTEGER NOT NULL,
      outcome TEXT NOT NULL)`);
  }

  /** Where an endpoint stands; a new one starts after `afterEventId`. */
  stateOf(id: string, afterEventId: number) {
    this.#sql.exec(
      "INSERT INTO endpoint VALUES (?, ?, 0, 0) ON CONFLICT DO NOTHING",
      id,
      afterEventId,
    );
    const row = this.#sql
      .exec<{ delivered_event_id: number; failures: number; next_attempt_at_ms: number }>(
        "SELECT delivered_event_id, failures, next_attempt_at_ms FROM endpoint WHERE id = ?",
        id,
      )
      .one();
    return {
      deliveredEventId: row.delivered_event_id,
      failures: row.failures,
      nextAttemptAtMs: row.next_attempt_at_ms,
    };
  }

  delivered(id: string, eventId: number): void {
    this.#sql.exec(
      `UPDATE endpoint SET delivered_event_id = ?, failures = 0, next_attempt_at_ms = 0
        WHERE id = ?`,
      eventId,
      id,
    );
  }

  /**
   * Notes a failure: the endpoint is tried again after a longer and longer wait.
   * @param deliveredEventId the last event before the one that failed
   * @param backoffSeconds the waits; the last one repeats
   * @returns when, in milliseconds since 1970
   */
  failed(id: string, deliveredEventId: number, backoffSeconds: number[]): number {
    const { failures } = this.stateOf(id, deliveredEventId);
    const wait = backoffSeconds[Math.min(failures, backoffSeconds.length - 1)] ?? 0;
    // Some randomness keeps many endpoints of one sick host from coming at once.
    const atMs = Math.round(Date.now() + wait * 1000 * (0.8 + Math.random() * 0.4));
    this.#sql.exec(
      `UPDATE endpoint SET delivered_event_id = ?, failures = ?, next_attempt_at_ms = ?
        WHERE id = ?`,
      deliveredEventId,
      failures + 1,
      atMs,
      id,
    );
    return atMs;
  }

  /** Starts again after an event, at once. */
  rewind(id: string, afterEventId: number): void {
    this.stateOf(id, afterEventId);
    this.delivered(id, afterEventId);
  }

  note(endpointId: string, { eventId, type, atMs, ok, outcome }: Attempt): void {
    this.#sql.exec(
      `INSERT INTO attempt (endpoint_id, event_id, type, at_ms, ok, outcome)
        VALUES (?, ?, ?, ?, ?, ?)`,
      endpointId,
      eventId,
      type,
      atMs,
      ok ? 1 : 0,
      outcome,
    );
    this.#sql.exec(
      `DELETE FROM attempt WHERE endpoint_id = ? AND id <=
        (SELECT max(id) FROM attempt WHERE endpoint_id = ?) - ?`,
      endpointId,
      endpointId,
      attemptsKept,
    );
  }

  read(id: string): Deliveries {
    const { deliveredEventId, failures, nextAttemptAtMs } = this.stateOf(id, 0);
    const rows = this.#sql.exec<{
      event_id: number;
      type: WebhookEventName;
      at_ms: number;
      ok: number;
      outcome: string;
    }>(
      `SELECT event_id, type, at_ms, ok, outcome FROM attempt
        WHERE endpoint_id = ? ORDER BY id DESC LIMIT ${attemptsKept}`,
      id,
    );
    return {
      deliveredEventId,
      failures,
      nextAttemptAt: nextAttemptAtMs
        ? new Date(nextAttemptAtMs).toISOString()
        : undefined,
      attempts: [...rows].map((row) => ({
        eventId: row.event_id,
        type: row.type,
        at: new Date(row.at_ms).toISOString(),
        ok: row.ok === 1,
        outcome: row.outcome,
      })),
    };
  }
}
