import type { Client } from "@libsql/client/web";
import { asc, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql/web";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";

/** Rows of a page: keeps every answer below the 4 MB that servers allow. */
const pageRows = 12_288;

interface Page {
  rows: unknown[][];
  /** The row after which the next page begins; undefined where there is none. */
  next: number | undefined;
}

/**
 * Reads a whole table in pages, each packed into one JSON text by the database:
 * a cell of its own for every value would be five times the bytes. Safe without
 * a transaction where nobody else writes the table.
 * @param columns the table's columns, as `take` gets their values
 */
export async function readPages(
  client: Client,
  table: string,
  columns: readonly string[],
  take: (values: unknown[]) => void,
): Promise<void> {
  const sql = `SELECT json_group_array(json_array(${columns.join(", ")})) AS packed,
      max(rowid) AS last, count(*) AS rows
    FROM (SELECT rowid, * FROM ${table} WHERE rowid > ? ORDER BY rowid LIMIT ${pageRows})`;
  let coming: Promise<Page> | undefined = readPage(client, sql, 0);
  while (coming) {
    const { rows, next }: Page = await coming;
    // The next page travels while this one is taken in.
    coming = next === undefined ? undefined : readPage(client, sql, next);
    coming?.catch(() => {});
    for (const values of rows) take(values);
  }
}

/**
 * The rows of a table after a cursor (a row's id; empty: from the first), by id.
 * @param limit how many at most
 */
export function rowsAfter<Table extends SQLiteTable & { id: SQLiteColumn }>(
  client: Client,
  table: Table,
  after: string,
  limit: number,
): Promise<Table["$inferSelect"][]> {
  return drizzle(client)
    .select()
    .from(table)
    .where(gt(table.id, after))
    .orderBy(asc(table.id))
    .limit(limit);
}

async function readPage(client: Client, sql: string, after: number): Promise<Page> {
  const row = (await client.execute({ sql, args: [after] })).rows[0];
  const isLast = Number(row?.rows ?? 0) < pageRows;
  return {
    rows: JSON.parse(String(row?.packed ?? "[]")) as unknown[][],
    next: isLast ? undefined : Number(row?.last),
  };
}
