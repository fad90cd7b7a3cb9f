import type { DatabaseName } from "#schema/databases.ts";
import { readSettings, type SettingsInput } from "#schema/settings.ts";
import { checkLedger, isOvershot } from "#test/broker/check-ledger.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import type { ObjectBinding } from "#test/harness/control-worker.ts";
import { leftOver } from "./left-over.ts";
import { serve } from "./rpc.ts";

/*
 * Control in its runtime, and its databases, in a process of their own. What it
 * answers about the ledger it reads past the broker.
 */

let control: Control | undefined;
let settings = readSettings();

function there(): Control {
  if (!control) throw new Error("The zone was not started.");
  return control;
}

const methods = {
  async start(input: SettingsInput) {
    settings = readSettings(input);
    control = await startControl({ settings: input, mortalObjects: true });
    const { url, zone, keys } = control;
    return { url, zone, keys };
  },
  endObject: (binding: ObjectBinding, name: string) => there().endObject(binding, name),
  collect: () => there().collect(),
  /** What the runtime says of its collections, where it was told to. */
  collections: () =>
    there()
      .logs()
      .filter((line) => line.includes("Mark-Compact")),
  crash: () => there().crash(),
  cron: () => there().cron(),
  stopDatabase: (name: DatabaseName) => there().databases[name].stop(),
  resumeDatabase: (name: DatabaseName) => there().databases[name].resume(),
  /** What the ledger's own rows say against it at this moment. */
  async judge() {
    const wrong = await checkLedger(there().database, settings);
    const overshot = wrong.filter(isOvershot);
    return { overshot, drift: wrong.filter((line) => !overshot.includes(line)) };
  },
  leftOver: () => leftOver(there().database),
  /** The room of each session, for what only names sessions. */
  async roomsOfSessions(): Promise<Record<string, string>> {
    const { rows } = await there().database.execute("SELECT id, room_id FROM session");
    return Object.fromEntries(rows.map((row) => [String(row.id), String(row.room_id)]));
  },
  async nodes() {
    const { rows } = await there().database.execute(
      "SELECT id, epoch, state, draining, held_until_ms IS NOT NULL AS held FROM node",
    );
    return rows.map(({ id, epoch, state, draining, held }) => ({
      id: String(id),
      epoch: Number(epoch),
      state: String(state),
      isDraining: Boolean(draining),
      isHeld: Boolean(held),
    }));
  },
  /** How many rows a table has. */
  async count(table: "session" | "view" | "broadcast"): Promise<number> {
    const sql = `SELECT count(*) AS rows FROM "${table}"`;
    const { rows } = await there().database.execute(sql);
    return Number(rows[0]?.rows);
  },
  /** What control reported of itself as an error or alert. */
  complaints: () =>
    there()
      .logs()
      .filter((line) => line.startsWith("error") || line.includes("alert")),
  /** The ledger's rows that a bad end may be understood from. */
  async rows(): Promise<string[]> {
    const tables = ["node", "session", "broadcast", "view", "pipe", "deadline", "outbox"];
    const lines: string[] = [];
    for (const table of tables) {
      const { rows } = await there().database.execute(
        `SELECT * FROM "${table}" LIMIT 60`,
      );
      for (const row of rows) lines.push(`${table} ${JSON.stringify(row)}`);
    }
    return lines;
  },
  stop: () => there().stop(),
};
export type ZoneMethods = typeof methods;

serve(methods);
