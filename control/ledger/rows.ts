import { getTableColumns } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";

/** A row by its columns' names. */
export type Row = Record<string, unknown>;

/** A row that came as values alone. */
export function named(columns: readonly string[], values: readonly unknown[]): Row {
  return Object.fromEntries(columns.map((column, at) => [column, values[at]]));
}

/** The names of a table's columns, as the database has them. */
export function columnsOf(table: SQLiteTable): string[] {
  return Object.values(getTableColumns(table)).map((column) => column.name);
}

/** A number of a column that may be empty. */
export function numberOrNull(value: unknown): number | null {
  return value === null ? null : Number(value);
}
