import type { Cell, Column, Row } from "./report.ts";

/** A cell as people read it. */
export function show(cell: Cell | undefined, column: Column): string {
  if (cell === null || cell === undefined) return "-";
  if (typeof cell === "string") return cell;
  if (column.percent) return `${(100 * cell).toFixed(column.digits ?? 2)} %`;
  return column.digits === undefined ? `${cell}` : cell.toFixed(column.digits);
}

/** A row's figure for a column. */
export function cellOf(row: Row, { key }: Column): Cell | undefined {
  const [group = "", name] = key.split(".");
  const cell = row[group];
  const isGroup = typeof cell === "object" && cell !== null;
  if (name === undefined) return isGroup ? undefined : cell;
  return isGroup ? cell[name] : undefined;
}

/** Rows under their columns' titles: text to the left, numbers to the right. */
export function tableOf(columns: readonly Column[], rows: readonly Row[]): string {
  const lines = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((column) => show(cellOf(row, column), column))),
  ];
  const widths = columns.map((_, at) =>
    Math.max(...lines.map((line) => line[at]?.length ?? 0)),
  );
  const isText = columns.map((column) => typeof rows[0]?.[column.key] === "string");
  const align = (text: string, at: number) =>
    isText[at] ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0);
  return lines
    .map((line) => line.map(align).join("  ").trimEnd())
    .flatMap((line, at) => (at === 0 ? [line, "-".repeat(line.length)] : [line]))
    .join("\n");
}
