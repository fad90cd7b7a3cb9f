import type { InStatement } from "@libsql/client/web";
import {
  getTableColumns,
  getTableName,
  type InferInsertModel,
  type Table,
} from "drizzle-orm";
import { getTableConfig, type SQLiteTable } from "drizzle-orm/sqlite-core";

/** The columns of a table's primary key, as property names, in key order. */
function keyNames(table: SQLiteTable): string[] {
  const columns = Object.entries(getTableColumns(table));
  const composite = getTableConfig(table).primaryKeys[0];
  const inKey = composite
    ? composite.columns.map((column) => column.name)
    : columns.filter(([, column]) => column.primary).map(([, column]) => column.name);
  return inKey.map((name) => {
    const found = columns.find(([, column]) => column.name === name);
    if (!found) throw new Error(`${getTableName(table)} has no column ${name}`);
    return found[0];
  });
}

/**
 * Writes many rows of one table in one statement: the rows travel as one JSON
 * parameter, so that the statement's text never changes and is prepared once.
 */
export interface RowWriter<T extends Table> {
  /** Inserts rows, or updates those whose key is there. */
  upsert(rows: Iterable<InferInsertModel<T>>): InStatement;
  /** Deletes the rows with these keys; absent ones do no harm. */
  remove(keys: Iterable<readonly string[]>): InStatement;
  /** A row's key, as `remove` takes it. */
  keyOf(row: InferInsertModel<T>): string[];
}

/**
 * Derives a table's statements from its drizzle schema.
 * @param keys the unique columns that name a row; default the primary key's
 */
export function rowWriter<T extends SQLiteTable>(
  table: T,
  keys: readonly string[] = keyNames(table),
): RowWriter<T> {
  const columns = Object.entries(getTableColumns(table));
  const quoted = (name: string) => `"${name}"`;
  const nameOf = new Map(columns.map(([property, column]) => [property, column.name]));
  const keyColumns = keys.map((key) => quoted(nameOf.get(key) as string));
  const rest = columns.filter(([property]) => !keys.includes(property));
  const name = quoted(getTableName(table));

  const upsertSql =
    `INSERT INTO ${name} (${columns.map(([, column]) => quoted(column.name)).join(", ")})` +
    ` SELECT ${columns.map((_, at) => `value ->> ${at}`).join(", ")}` +
    // Without a WHERE the parser takes ON for a join's.
    " FROM json_each(?) WHERE true" +
    ` ON CONFLICT (${keyColumns.join(", ")}) DO ` +
    (rest.length === 0
      ? "NOTHING"
      : `UPDATE SET ${rest.map(([, column]) => `${quoted(column.name)} = excluded.${quoted(column.name)}`).join(", ")}`);
  const removeSql =
    `DELETE FROM ${name} WHERE (${keyColumns.join(", ")}) IN` +
    ` (SELECT ${keys.map((_, at) => `value ->> ${at}`).join(", ")} FROM json_each(?))`;

  return {
    upsert(rows) {
      const packed: unknown[][] = [];
      for (const row of rows) {
        const values = row as Record<string, unknown>;
        packed.push(
          columns.map(([property, column]) => {
            const value = values[property];
            return value == null ? null : column.mapToDriverValue(value);
          }),
        );
      }
      return { sql: upsertSql, args: [JSON.stringify(packed)] };
    },
    remove(keysToRemove) {
      return { sql: removeSql, args: [JSON.stringify([...keysToRemove])] };
    },
    keyOf(row) {
      const values = row as Record<string, unknown>;
      return keys.map((key) => String(values[key]));
    },
  };
}
