/**
 * The databases of a deployment. Each has its own server, so that what floods
 * one of them does not slow the others:
 * - `control`: the zone's ledger
 * - `sessions`: revocations, asked at each room entry
 * - `accounts`: accounts, API keys and entitlements
 * - `premium`: payments; only spending needs it
 */
export const databaseNames = ["control", "sessions", "accounts", "premium"] as const;
export type DatabaseName = (typeof databaseNames)[number];

/** The environment variables that hold a database's URL and its token. */
export function databaseVariables(name: DatabaseName): { url: string; token: string } {
  const prefix = name.toUpperCase();
  return { url: `${prefix}_DB_URL`, token: `${prefix}_DB_TOKEN` };
}
