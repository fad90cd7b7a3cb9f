import type { HranaConnection } from "./hrana-connection.ts";
import type {
  BatchCondition,
  BatchResult,
  HranaBatch,
  StreamRequest,
  StreamResult,
} from "./hrana-protocol.ts";
import { HranaError, toHranaError } from "./hrana-protocol.ts";
import { scanSql } from "./sql-scan.ts";
import type { ReleaseLock, WriterLock } from "./writer-lock.ts";

/** Where a stream takes its connection from and gives it back to. */
export interface ConnectionPool {
  take(): HranaConnection;
  give(connection: HranaConnection): void;
}

const storedSqlMax = 150;

/**
 * One client's conversation. It holds a connection only while it runs something
 * or has a transaction open, and the writer lock only while it may write.
 */
export class HranaStream {
  readonly #pool: ConnectionPool;
  readonly #lock: WriterLock;
  readonly #stored = new Map<number, string>();
  #connection: HranaConnection | undefined;
  #release: ReleaseLock | undefined;
  #closed = false;

  constructor(pool: ConnectionPool, lock: WriterLock) {
    this.#pool = pool;
    this.#lock = lock;
  }

  /** True once the stream gave everything back. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Runs requests in their order; one that fails does not stop the next. */
  async run(requests: StreamRequest[]): Promise<StreamResult[]> {
    const results: StreamResult[] = [];
    for (const request of requests) {
      try {
        const response = await this.#answer(request);
        results.push({ type: "ok", response: { type: request.type, ...response } });
      } catch (error) {
        results.push({ type: "error", error: toHranaError(error) });
      }
      this.#settle();
    }
    return results;
  }

  /** Rolls back what is open and gives everything back; twice does no harm. */
  close(): void {
    this.#closed = true;
    this.#connection?.reset();
    this.#settle();
  }

  async #answer(request: StreamRequest): Promise<Record<string, unknown>> {
    if (this.#closed) throw new HranaError("STREAM_CLOSED", "The stream is closed");
    switch (request.type) {
      case "close":
        this.close();
        return {};
      case "store_sql":
        if (this.#stored.size >= storedSqlMax) {
          throw new HranaError("SQL_STORE_TOO_LARGE", "The stream stores too many texts");
        }
        this.#stored.set(request.sql_id, request.sql);
        return {};
      case "close_sql":
        this.#stored.delete(request.sql_id);
        return {};
      case "get_autocommit":
        return { is_autocommit: !this.#connection?.inTransaction };
      case "execute": {
        const sql = this.#sqlOf(request.stmt);
        const connection = await this.#ready([sql]);
        return { result: connection.execute(sql, request.stmt) };
      }
      case "batch": {
        const sqls = request.batch.steps.map(({ stmt }) => this.#sqlOf(stmt));
        const connection = await this.#ready(sqls);
        return { result: runBatch(connection, request.batch, sqls) };
      }
      case "sequence": {
        const sql = this.#sqlOf(request);
        (await this.#ready(undefined)).sequence(sql);
        return {};
      }
      case "describe":
        return { result: await this.#describe(this.#sqlOf(request)) };
    }
  }

  async #describe(sql: string): Promise<Record<string, unknown>> {
    const scan = scanSql(sql);
    const connection = await this.#ready([]);
    return {
      params: scan.parameters.map((name) => ({ name })),
      cols: connection.columnsOf(sql),
      is_explain: scan.verb === "EXPLAIN",
      is_readonly: scan.readOnly,
    };
  }

  #sqlOf(source: { sql?: string | null; sql_id?: number | null }): string {
    if (typeof source.sql === "string") return source.sql;
    const stored = this.#stored.get(source.sql_id ?? -1);
    if (stored !== undefined) return stored;
    throw new HranaError("SQL_NOT_FOUND", "The statement has no SQL");
  }

  /**
   * A connection on which these statements may run; without a list, any may.
   * The lock is taken before the first write, even of a deferred transaction:
   * a transaction that read first and then had to wait would have to fail.
   */
  async #ready(sqls: string[] | undefined): Promise<HranaConnection> {
    const mayWrite = sqls === undefined || sqls.some((sql) => !scanSql(sql).readOnly);
    if (mayWrite && !this.#release) {
      const release = await this.#lock.acquire();
      if (this.#closed) {
        release();
        throw new HranaError("STREAM_CLOSED", "The stream is closed");
      }
      this.#release = release;
    }
    this.#connection ??= this.#pool.take();
    return this.#connection;
  }

  /** Outside of a transaction a stream keeps neither connection nor lock. */
  #settle(): void {
    if (this.#connection?.inTransaction) return;
    if (this.#connection) this.#pool.give(this.#connection);
    this.#connection = undefined;
    this.#release?.();
    this.#release = undefined;
  }
}

function runBatch(
  connection: HranaConnection,
  batch: HranaBatch,
  sqls: string[],
): BatchResult {
  const result: BatchResult = { step_results: [], step_errors: [] };
  for (const [at, step] of batch.steps.entries()) {
    result.step_results.push(null);
    result.step_errors.push(null);
    if (step.condition && !holds(step.condition, result, connection)) continue;
    try {
      result.step_results[at] = connection.execute(sqls[at] ?? "", step.stmt);
    } catch (error) {
      result.step_errors[at] = toHranaError(error);
    }
  }
  return result;
}

function holds(
  condition: BatchCondition,
  done: BatchResult,
  connection: HranaConnection,
): boolean {
  switch (condition.type) {
    case "ok":
      return Boolean(done.step_results[condition.step]);
    case "error":
      return Boolean(done.step_errors[condition.step]);
    case "not":
      return !holds(condition.cond, done, connection);
    case "and":
      return condition.conds.every((one) => holds(one, done, connection));
    case "or":
      return condition.conds.some((one) => holds(one, done, connection));
    case "is_autocommit":
      return !connection.inTransaction;
  }
}
