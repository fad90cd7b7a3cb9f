import { createHash } from "node:crypto";
import type { Control } from "#test/harness/control.ts";

/**
 * A digest of each table's rows, so that a change names its table.
 * @param except tables that change by themselves while nobody asks for anything
 */
export async function digestOf(
  { database }: Pick<Control, "database">,
  except: string[] = [],
): Promise<Record<string, string>> {
  const { rows } = await database.execute(
    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
  );
  const names = rows.map(({ name }) => String(name)).filter((it) => !except.includes(it));
  const digests = await Promise.all(
    names.map(async (name) => {
      const found = await database.execute(`SELECT * FROM "${name}"`);
      const lines = found.rows.map((row) => JSON.stringify(Object.values(row))).sort();
      const text = lines.join("\n");
      const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
      return [name, `${found.rows.length} rows, ${hash}`] as const;
    }),
  );
  return Object.fromEntries(digests);
}
