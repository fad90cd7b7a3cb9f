import { afterEach, expect, test } from "vitest";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { accountId, broadcaster, join, openRoom, register, watch } from "./people.ts";

/* Screens have producer places and seats of their own, and only those. */

let zone: Zone;

afterEach(async () => {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
});

/** A zone in which a producer worker holds so few broadcasts, with one host of all kinds. */
async function zoneOf(broadcastsPerProducerWorker: number): Promise<void> {
  zone = await startZone({ settings: { weight: { broadcastsPerProducerWorker } } });
  await register(zone, {
    workers: ["producer", "consumer", "screen-producer", "screen-consumer"],
  });
}

async function showScreen(roomId: string) {
  const sessionId = await join(zone, roomId);
  return zone.ask("claimBroadcast", { roomId, sessionId, media: "screen" });
}

test("a room shows as many screens as there are places, and then is told that there is none", async () => {
  await zoneOf(3);
  const roomId = await openRoom(zone);
  for (let at = 0; at < 3; at += 1) {
    expect(await showScreen(roomId)).toMatchObject({ ok: true });
  }
  expect(await showScreen(roomId)).toMatchObject({
    ok: false,
    refusal: { refusal: "no-screen-capacity" },
  });
  // Cameras have places of their own.
  await broadcaster(zone, roomId, "camera");
});

test("a reserved room always has its one screen, however many others ask for it", async () => {
  await zoneOf(2);
  const reserved = await zone.get("createRoom", { accountId, tier: 1, reserve: true });
  const others = await Promise.all([openRoom(zone), openRoom(zone), openRoom(zone)]);
  const asked = await Promise.all(others.map(showScreen));
  expect(asked.filter(({ ok }) => ok)).toHaveLength(1);
  expect(await showScreen(reserved.id)).toMatchObject({ ok: true });
  // A second one is not reserved.
  expect(await showScreen(reserved.id)).toMatchObject({
    refusal: { refusal: "no-screen-capacity" },
  });
});

test("seats of a screen are two a point at its own bitrate, and the reserved room's are kept", async () => {
  await zoneOf(30);
  const reserved = await zone.get("createRoom", { accountId, tier: 1, reserve: true });
  const kept = zone.settings.tiers[1]?.viewers ?? 0;
  const roomId = await openRoom(zone, 4);
  await broadcaster(zone, roomId, "screen");
  // What the reserved room's viewers of one screen do not take is left: 6 points of 12.
  const pointsKept = Math.ceil((kept - 1) / 2);
  const left = 2 * (12 - pointsKept);
  const viewers = await Promise.all(
    Array.from({ length: left + 1 }, () => join(zone, roomId)),
  );
  const answers = await Promise.all(
    viewers.map((sessionId) =>
      zone.get("claimViews", { roomId, sessionId, broadcasts: "all" }),
    ),
  );
  const refused = answers.flatMap((answer) => answer.refused);
  expect(refused.map(({ code }) => code)).toEqual(["no-screen-capacity"]);
  const egress = "SELECT egress_used_kbps FROM node";
  expect(await zone.count(egress)).toBe(left * zone.settings.nominalKbps.screen.view);
  await broadcaster(zone, reserved.id, "screen");
  const own = await Promise.all(
    Array.from({ length: kept - 1 }, () => join(zone, reserved.id)),
  );
  for (const sessionId of own) await watch(zone, reserved.id, sessionId);
});
