import { afterAll, beforeAll, expect, test } from "vitest";
import type { Room } from "#schema/api/rooms.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { bodyOf, openRoom, readRoom } from "./api.ts";
import { holdings, nothing } from "./ledger.ts";
import { type DeclaredWorker, registerPaper, registrationOf, times } from "./node.ts";

/*
 * Hosts on paper: what is reserved is decided in control alone. One tier 1 room
 * needs 12 camera points, a producer worker and ceil(11 / 2) = 6 screen points.
 */
let control: Control;
let key: string;

const cameras: DeclaredWorker = { role: "consumer", mediaClass: "camera" };
const screens: DeclaredWorker = { role: "consumer", mediaClass: "screen" };
const cameraProducer: DeclaredWorker = { role: "producer", mediaClass: "camera" };
const screenProducer: DeclaredWorker = { role: "producer", mediaClass: "screen" };

beforeAll(async () => {
  const timing = { nodeSuspectMs: 600_000, nodeLeaseMs: 900_000 };
  control = await startControl({ settings: { timing } });
  key = control.keys.api;
  const workers = [
    ...times(4, cameras),
    ...times(1, screens),
    ...times(2, cameraProducer),
    ...times(1, screenProducer),
  ];
  const body = registrationOf("paper", workers);
  bodyOf(await registerPaper(control, body), 200);
});
afterAll(() => control.stop());

async function patch(roomId: string, body: unknown) {
  return control.call("PATCH", `/v1/rooms/${roomId}`, { key, body });
}

async function close(room: Room): Promise<void> {
  bodyOf(await control.call("DELETE", `/v1/rooms/${room.id}`, { key }), 200);
}

test("a reserved room holds its tier's whole weight, and gives all of it back", async () => {
  const room = await openRoom(control, { tier: 1, reserve: true });
  expect(room.reserve).toBe(true);
  expect(await holdings(control)).toMatchObject({ points: 12 + 6, reserved: 12 + 6 });
  const path = `/v1/rooms/${room.id}/placement`;
  const { workers } = bodyOf(await control.call("GET", path, { key }), 200);
  const used = workers.map((worker: { points: { used: number } }) => worker.points.used);
  expect(used.reduce((sum: number, points: number) => sum + points, 0)).toBe(18);
  await close(room);
  expect(await holdings(control)).toEqual(nothing);
});

test("a reservation that does not fit is refused, says what is missing and takes nothing", async () => {
  const body = { tier: 4, reserve: true };
  const answer = await control.call("POST", "/v1/rooms", { key, body });
  expect([answer.status, answer.body.code]).toEqual([503, "reservation-refused"]);
  // Tier 4 weighs 192 points and a screen for 47 viewers; there are 48 and 12.
  expect(answer.body.detail).toContain("144 camera points");
  expect(answer.body.detail).toContain("12 screen points");
  expect(answer.headers.get("retry-after")).toBeTruthy();
  expect(await holdings(control)).toEqual(nothing);
});

test("twenty reservations at once are granted while they fit, and no further", async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      control.call("POST", "/v1/rooms", { key, body: { tier: 1, reserve: true } }),
    ),
  );
  const granted = answers.filter(({ status }) => status === 201);
  // The zone has two camera producer workers, each dedicated to one room, and
  // screen points for two rooms.
  expect(granted).toHaveLength(2);
  for (const { status, body } of answers.filter((answer) => answer.status !== 201)) {
    expect([status, body.code]).toEqual([503, "reservation-refused"]);
    expect(body.detail).toMatch(/screen points|producer worker/);
  }
  expect(await holdings(control)).toMatchObject({ points: 36, reserved: 36 });
  for (const { body } of granted) await close(body);
  expect(await holdings(control)).toEqual(nothing);
});

test("reserving is switched on and off in an open room", async () => {
  const room = await openRoom(control, { tier: 1 });
  expect(await holdings(control)).toMatchObject({ points: 0 });
  expect(bodyOf(await patch(room.id, { reserve: true }), 200).reserve).toBe(true);
  expect(await holdings(control)).toMatchObject({ points: 18 });
  expect(bodyOf(await patch(room.id, { reserve: true }), 200).epoch).toBe(1);
  expect(await holdings(control)).toMatchObject({ points: 18 });
  expect(bodyOf(await patch(room.id, { reserve: false }), 200).reserve).toBe(false);
  expect(await holdings(control)).toEqual(nothing);
  await close(room);
});

test("a reserved room changes its tier with its reservation, in one go", async () => {
  const room = await openRoom(control, { tier: 1, reserve: true });
  const up = bodyOf(await patch(room.id, { tier: 2 }), 200);
  expect(up).toMatchObject({ tier: 2, epoch: 2, reserve: true });
  // Tier 2: 12 broadcasts x 24 viewers / 6, and ceil(23 / 2) for a screen.
  expect(await holdings(control)).toMatchObject({ points: 48 + 12, reserved: 48 + 12 });
  const before = await readRoom(control, room.id);
  const refused = await patch(room.id, { tier: 3, name: "too large" });
  expect([refused.status, refused.body.code]).toEqual([503, "reservation-refused"]);
  expect(await readRoom(control, room.id)).toEqual(before);
  expect(await holdings(control)).toMatchObject({ points: 60, reserved: 60 });
  bodyOf(await patch(room.id, { tier: 1 }), 200);
  expect(await holdings(control)).toMatchObject({ points: 18, reserved: 18 });
  await close(room);
  expect(await holdings(control)).toEqual(nothing);
});

test("many changes of tier at once leave exactly the last one's weight", async () => {
  const room = await openRoom(control, { tier: 1, reserve: true });
  const tiers = [2, 1, 0, 2, 1, 2, 0, 1];
  await Promise.all(tiers.map((tier) => patch(room.id, { tier })));
  const weights: Record<number, number> = { 0: 0, 1: 18, 2: 60 };
  const { tier, epoch } = await readRoom(control, room.id);
  expect(epoch).toBeGreaterThan(1);
  expect((await holdings(control)).points).toBe(weights[tier]);
  await close(room);
  expect(await holdings(control)).toEqual(nothing);
});
