import { expect } from "vitest";
import type { SettingsInput } from "#schema/settings.ts";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkPictureEqualsDatabase } from "./check-picture.ts";
import { broadcaster, type Host, openRoom, register } from "./people.ts";

/** A zone with somebody to watch, and a host to watch from. */
export interface Stage {
  zone: Zone;
  /** The consumers' host, `c`; the producers' is `p`. */
  host: Host;
  roomId: string;
  owner: Awaited<ReturnType<typeof broadcaster>>;
}

/** Starts a zone of two hosts with a room in which somebody is live. */
export async function setStage(
  producers: number,
  settings: SettingsInput = {},
): Promise<Stage> {
  const zone = await startZone({ settings });
  const workers = Array.from({ length: producers }, () => "producer" as const);
  await register(zone, { name: "p", workers });
  const host = await register(zone, { name: "c", workers: ["consumer"] });
  const roomId = await openRoom(zone);
  return { zone, host, roomId, owner: await broadcaster(zone, roomId) };
}

/** Expects that the ledger is in order, and that the broker knows it as it is. */
export async function expectInOrder(zone: Zone): Promise<void> {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
  expect(await checkPictureEqualsDatabase(zone)).toEqual([]);
}
