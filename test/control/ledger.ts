import type { Control } from "#test/harness/control.ts";

/** Everything of which the ledger keeps count. */
export interface Holdings {
  sessions: number;
  broadcasts: number;
  shown: number;
  views: number;
  slots: number;
  pipes: number;
  points: number;
  places: number;
  legs: number;
  egressKbps: number;
  ingressKbps: number;
  present: number;
  live: number;
  reserved: number;
}

const columns: Record<keyof Holdings, string> = {
  sessions: "SELECT count(*) FROM session",
  broadcasts: "SELECT count(*) FROM broadcast",
  shown: "SELECT count(*) FROM broadcast_room",
  views: 'SELECT count(*) FROM "view"',
  slots: "SELECT count(*) FROM slot",
  pipes: "SELECT count(*) FROM pipe",
  points: "SELECT coalesce(sum(points_used), 0) FROM worker",
  places: "SELECT coalesce(sum(broadcasts_used), 0) FROM worker",
  legs: "SELECT coalesce(sum(legs_used), 0) FROM worker",
  egressKbps: "SELECT coalesce(sum(egress_used_kbps), 0) FROM node",
  ingressKbps: "SELECT coalesce(sum(ingress_used_kbps), 0) FROM node",
  present: "SELECT coalesce(sum(sessions_present), 0) FROM room",
  live: "SELECT coalesce(sum(broadcasts_live), 0) FROM room",
  reserved: "SELECT coalesce(sum(points), 0) FROM reservation",
};

/** What the whole zone holds, by its rows and by its totals. */
export async function holdings(control: Control): Promise<Holdings> {
  const list = Object.entries(columns).map(([name, sql]) => `(${sql}) AS "${name}"`);
  const { rows } = await control.database.execute(`SELECT ${list.join(", ")}`);
  const row = rows[0];
  const entries = Object.keys(columns).map((name) => [name, Number(row?.[name])]);
  return Object.fromEntries(entries) as Holdings;
}

/** A zone in which nobody is and nothing is kept. */
export const nothing = Object.fromEntries(
  Object.keys(columns).map((name) => [name, 0]),
) as unknown as Holdings;

/** One number out of the database. */
export async function count(
  control: Control,
  sql: string,
  ...args: (string | number)[]
): Promise<number> {
  const { rows } = await control.database.execute({ sql, args });
  return Number(Object.values(rows[0] ?? {})[0]);
}

/** Points used by each worker that has any, largest first. */
export async function pointsByWorker(control: Control): Promise<number[]> {
  const { rows } = await control.database.execute(
    "SELECT points_used FROM worker WHERE points_used > 0 ORDER BY points_used DESC",
  );
  return rows.map((row) => Number(row.points_used));
}
