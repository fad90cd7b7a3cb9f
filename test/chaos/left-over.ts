import type { Client } from "@libsql/client/web";

/** What holds or counts something, and has to be at nothing when all have left. */
const columns: Record<string, string> = {
  sessions: "SELECT count(*) FROM session",
  broadcasts: "SELECT count(*) FROM broadcast",
  shown: "SELECT count(*) FROM broadcast_room",
  tracks: "SELECT count(*) FROM track",
  views: 'SELECT count(*) FROM "view"',
  slots: "SELECT count(*) FROM slot",
  pipes: "SELECT count(*) FROM pipe",
  reservations: "SELECT count(*) FROM reservation",
  instructions: "SELECT count(*) FROM outbox",
  points: "SELECT coalesce(sum(points_used), 0) FROM worker",
  places: "SELECT coalesce(sum(broadcasts_used), 0) FROM worker",
  legs: "SELECT coalesce(sum(legs_used), 0) FROM worker",
  egressKbps: "SELECT coalesce(sum(egress_used_kbps), 0) FROM node",
  ingressKbps: "SELECT coalesce(sum(ingress_used_kbps), 0) FROM node",
  present: "SELECT coalesce(sum(sessions_present), 0) FROM room",
  live: "SELECT coalesce(sum(broadcasts_live), 0) FROM room",
};

/** What an empty zone still holds by its ledger, a line each; empty is right. */
export async function leftOver(client: Client): Promise<string[]> {
  const list = Object.entries(columns).map(([name, sql]) => `(${sql}) AS "${name}"`);
  const { rows } = await client.execute(`SELECT ${list.join(", ")}`);
  return Object.keys(columns)
    .map((name) => ({ name, count: Number(rows[0]?.[name]) }))
    .filter(({ count }) => count !== 0)
    .map(({ name, count }) => `ledger: ${count} ${name}`);
}
