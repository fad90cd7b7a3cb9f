/** How an answer is shown: for people, or as JSON for programs. */
export interface Output {
  /** Shows rows as a table with these columns. */
  rows<T>(answer: unknown, rows: T[], columns: Columns<T>): void;
  /** Shows one thing, field by field. */
  fields(answer: unknown, fields: Record<string, string | number | undefined>): void;
  /** Says something beside the answer, which programs need not read. */
  note(text: string): void;
}

type Columns<T> = Record<string, (row: T) => string | number | undefined>;

/** @param json whether programs read it: then the answer is printed as it came */
export function outputOf(json: boolean): Output {
  const print = (text: string) => process.stdout.write(`${text}\n`);
  if (json) {
    const whole = (answer: unknown) => print(JSON.stringify(answer, null, 2));
    return { rows: whole, fields: whole, note() {} };
  }
  return {
    rows(_, rows, columns) {
      const names = Object.keys(columns);
      const lines = rows.map((row) =>
        Object.values(columns).map((read) => String(read(row) ?? "-")),
      );
      if (rows.length === 0) print("(none)");
      else for (const line of aligned([names, ...lines])) print(line);
    },
    fields(_, fields) {
      const shown = Object.entries(fields).filter(([, value]) => value !== undefined);
      for (const line of aligned(shown.map(([name, value]) => [name, String(value)]))) {
        print(line);
      }
    },
    note: (text) => print(text),
  };
}

function aligned(lines: string[][]): string[] {
  const widths: number[] = [];
  for (const line of lines) {
    for (const [at, cell] of line.entries()) {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    }
  }
  return lines.map((line) =>
    line
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
