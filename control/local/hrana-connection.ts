import Database from "libsql";
import type { HranaStatement, HranaValue, StatementResult } from "./hrana-protocol.ts";
import { HranaError } from "./hrana-protocol.ts";
import type { SqlValue } from "./hrana-values.ts";
import { bindings, sizeOf, toHrana } from "./hrana-values.ts";
import type { SqlScan } from "./sql-scan.ts";
import { scanSql } from "./sql-scan.ts";

interface Prepared {
  scan: SqlScan;
  statement: Database.Statement<unknown[]>;
  /** Empty where the statement returns no rows. */
  columns: { name: string; decltype: string | null }[];
}

const preparedMax = 500;
// sqld's own limit: what passes here passes there.
const answerBytesMax = 10_000_000;
const schemaVerbs = new Set(["CREATE", "ALTER", "DROP", "PRAGMA", "ATTACH", "DETACH"]);
// These change the connection for whoever gets it next.
const taintingVerbs = new Set(["PRAGMA", "ATTACH", "DETACH"]);

/**
 * One SQLite connection. Every call is synchronous, so a caller that holds the
 * writer lock never shares a moment with another writer.
 */
export class HranaConnection {
  readonly #db: Database.Database;
  readonly #prepared = new Map<string, Prepared>();
  #schemaSeen = 0;
  #readOnly = false;
  /** Raised by every statement that may change the schema; shared by a pool. */
  readonly #schema: { version: number };
  /** True once the connection must not be handed to another stream. */
  tainted = false;

  /**
   * @param file the database's file, made when absent
   * @param schema the pool's schema counter
   */
  constructor(file: string, schema: { version: number }) {
    this.#schema = schema;
    this.#db = new Database(file, { timeout: 0 });
    this.#db.exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON",
    );
  }

  /** True between BEGIN and COMMIT or ROLLBACK. */
  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  /**
   * Runs one statement.
   * @throws HranaError or SQLite's error, with a `code`
   */
  execute(sql: string, stmt: HranaStatement): StatementResult {
    const prepared = this.#prepare(sql);
    const { scan } = prepared;
    if (this.#readOnly && !scan.readOnly && this.inTransaction) {
      throw new HranaError("SQLITE_READONLY", "The transaction was begun READONLY");
    }
    try {
      const result = this.#run(prepared, bindings(stmt), stmt.want_rows !== false);
      if (scan.verb === "BEGIN") this.#readOnly = scan.beginsReadOnly;
      return result;
    } catch (error) {
      const code = (error as { code?: string }).code ?? "";
      // A connection that met SQLITE_BUSY keeps failing.
      if (/^SQLITE_(BUSY|LOCKED|IOERR|CORRUPT)/.test(code)) this.tainted = true;
      throw error;
    } finally {
      if (schemaVerbs.has(scan.verb)) this.#schema.version++;
      if (taintingVerbs.has(scan.verb)) this.tainted = true;
    }
  }

  /** Runs every statement of a text that takes no parameters. */
  sequence(sql: string): void {
    try {
      this.#db.exec(sql);
    } finally {
      this.#schema.version++;
      this.tainted = true;
    }
  }

  /** The columns that a statement returns, with their declared types. */
  columnsOf(sql: string): Prepared["columns"] {
    return this.#prepare(sql).columns;
  }

  /** Rolls back what is open, so that the connection can serve another stream. */
  reset(): void {
    if (this.inTransaction) this.#db.exec("ROLLBACK");
    this.#readOnly = false;
  }

  /** Closes the connection; what is open is rolled back. */
  close(): void {
    this.#prepared.clear();
    this.#db.close();
  }

  #prepare(sql: string): Prepared {
    // SQLite prepares again by itself after a change, but its columns would be old.
    if (this.#schemaSeen !== this.#schema.version) {
      this.#prepared.clear();
      this.#schemaSeen = this.#schema.version;
    }
    const known = this.#prepared.get(sql);
    if (known) return known;
    const scan = scanSql(sql);
    if (scan.statements === 0) {
      throw new HranaError("SQL_NO_STATEMENT", "The SQL holds no statement");
    }
    if (scan.statements > 1) {
      throw new HranaError("SQL_MANY_STATEMENTS", "The SQL holds several statements");
    }
    const statement = this.#compile(sql);
    const columns = statement.reader
      ? statement.columns().map(({ name, type }) => ({ name, decltype: type }))
      : [];
    if (columns.length > 0) statement.raw(true).safeIntegers(true);
    const prepared = { scan, statement, columns };
    const [oldest] = this.#prepared.keys();
    if (this.#prepared.size >= preparedMax && oldest) this.#prepared.delete(oldest);
    this.#prepared.set(sql, prepared);
    return prepared;
  }

  #compile(sql: string): Database.Statement<unknown[]> {
    try {
      return this.#db.prepare(sql);
    } catch (error) {
      const { code, message } = error as { code?: string; message: string };
      if (code !== "SQLITE_ERROR") throw error;
      throw new HranaError("SQL_INPUT_ERROR", `SQL input error: ${message}`);
    }
  }

  #run(
    { scan, statement, columns }: Prepared,
    bound: SqlValue[] | Record<string, SqlValue>,
    wantRows: boolean,
  ): StatementResult {
    if (columns.length === 0) {
      const { changes, lastInsertRowid } = statement.run(bound as unknown[]);
      return answer([], [], changes, BigInt(lastInsertRowid));
    }
    const rows: HranaValue[][] = [];
    let bytes = 0;
    // Every row is stepped through: one left open would keep its read snapshot.
    for (const row of statement.iterate(bound as unknown[]) as Iterable<SqlValue[]>) {
      if (!wantRows || bytes > answerBytesMax) continue;
      const values = row.map(toHrana);
      for (const value of values) bytes += sizeOf(value);
      rows.push(values);
    }
    if (bytes > answerBytesMax) {
      throw new HranaError("RESPONSE_TOO_LARGE", "The answer is larger than 10 MB");
    }
    if (scan.readOnly) return answer(columns, rows, 0, null);
    const counts = this.#prepare("SELECT changes(), last_insert_rowid()").statement;
    const [row] = counts.all([]) as [bigint, bigint][];
    return answer(columns, rows, Number(row?.[0] ?? 0n), row?.[1] ?? null);
  }
}

function answer(
  cols: StatementResult["cols"],
  rows: HranaValue[][],
  changes: number,
  rowid: bigint | null,
): StatementResult {
  return {
    cols,
    rows,
    affected_row_count: changes,
    last_insert_rowid: rowid === null ? null : rowid.toString(),
  };
}
