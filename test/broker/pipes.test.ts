import { afterEach, beforeEach, expect, test } from "vitest";
import type { Instruction } from "#schema/agent/instructions.ts";
import { startZone, type Zone } from "#test/harness/zone.ts";
import { checkLedger } from "./check-ledger.ts";
import { checkPictureEqualsDatabase } from "./check-picture.ts";
import { broadcaster, join, openRoom, register, watch, watchActive } from "./people.ts";

let zone: Zone;
let roomId: string;

beforeEach(async () => {
  zone = await startZone();
  await register(zone, { name: "p", workers: ["producer"] });
  await register(zone, { name: "c", workers: ["consumer"] });
  roomId = await openRoom(zone, 1);
});

afterEach(async () => {
  expect(await checkLedger(zone.eye, zone.settings)).toEqual([]);
  expect(await checkPictureEqualsDatabase(zone)).toEqual([]);
});

const pipeStates = async () =>
  (await zone.get("readFleet", {})).pipes.map(({ state }) => state);

/** The closings of pipes told so far, as `node generation`. */
function closings(): string[] {
  return zone.committed.flatMap(({ instructions }) =>
    [...instructions].flatMap(([nodeId, items]) =>
      items
        .map(({ instruction }) => instruction)
        .filter((one): one is Instruction & { kind: "pipe" } => one.kind === "pipe")
        .filter(({ wanted }) => wanted === "closed")
        .map(({ generation }) => `${nodeId} ${generation}`),
    ),
  );
}

async function leaveView(sessionId: string, viewId: string): Promise<void> {
  await zone.get("releaseViews", { roomId, sessionId, viewIds: [viewId] });
}

test("a broadcast that nobody watches has no pipe and costs no point", async () => {
  await broadcaster(zone, roomId);
  expect(await pipeStates()).toEqual([]);
  const points = await zone.count("SELECT sum(points_used) FROM worker");
  expect(points).toBe(0);
});

test("the first viewer opens the pipe, the next one shares it", async () => {
  await broadcaster(zone, roomId);
  const [first] = await watch(zone, roomId, await join(zone, roomId));
  expect(first?.pipeOpen).toBe(false);
  const { broadcastId = "", generation = 0, consumer } = first ?? {};
  const workerId = consumer?.workerId ?? "";
  await zone.get("openPipes", { pipes: [{ broadcastId, workerId, generation }] });
  const [second] = await watch(zone, roomId, await join(zone, roomId));
  expect(second).toMatchObject({ pipeOpen: true, generation, consumer });
  expect(await pipeStates()).toEqual(["open"]);
});

test("the last viewer's leaving lets the pipe linger, and 5 s later it closes on both hosts", async () => {
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const [view] = await watchActive(zone, roomId, sessionId);
  await leaveView(sessionId, view?.viewId ?? "");
  expect(await pipeStates()).toEqual(["lingering"]);
  expect(await zone.count("SELECT sum(points_used) FROM worker")).toBe(0);
  await zone.advance(4999);
  expect(await pipeStates()).toEqual(["lingering"]);
  expect(closings()).toEqual([]);
  await zone.advance(1);
  expect(await pipeStates()).toEqual([]);
  const { generation } = view ?? {};
  const told = [`node_test_c ${generation}`, `node_test_p ${generation}`];
  expect(closings().sort()).toEqual(told);
  expect(await zone.count("SELECT sum(legs_used) FROM worker")).toBe(0);
});

test("a viewer who comes back within the linger finds the same generation open", async () => {
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const [before] = await watchActive(zone, roomId, sessionId);
  await leaveView(sessionId, before?.viewId ?? "");
  await zone.advance(4999);
  const [again] = await watch(zone, roomId, sessionId);
  expect(again).toMatchObject({ pipeOpen: true, generation: before?.generation });
  await zone.get("activateViews", {
    roomId,
    sessionId,
    viewIds: [again?.viewId ?? ""],
  });
  await zone.advance(60_000);
  expect(await pipeStates()).toEqual(["open"]);
  expect(closings()).toEqual([]);
});

test("a pipe that was closed opens again at a higher generation", async () => {
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const generations: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const [view] = await watchActive(zone, roomId, sessionId);
    generations.push(view?.generation ?? 0);
    await leaveView(sessionId, view?.viewId ?? "");
    await zone.advance(5000);
    expect(await pipeStates()).toEqual([]);
    zone.evict();
  }
  expect(generations[1]).toBeGreaterThan(generations[0] ?? 0);
  expect(generations[2]).toBeGreaterThan(generations[1] ?? 0);
});

test("a pipe whose legs were never told closes at once with its last viewer", async () => {
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const [first] = await watch(zone, roomId, sessionId);
  await leaveView(sessionId, first?.viewId ?? "");
  expect(await pipeStates()).toEqual([]);
  expect(closings()).toHaveLength(2);
});

test("what is said of an older generation does not open a newer one", async () => {
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const [first] = await watch(zone, roomId, sessionId);
  const { broadcastId = "", generation = 0, consumer } = first ?? {};
  const workerId = consumer?.workerId ?? "";
  await leaveView(sessionId, first?.viewId ?? "");
  const [second] = await watch(zone, roomId, sessionId);
  await zone.get("openPipes", { pipes: [{ broadcastId, workerId, generation }] });
  expect(await pipeStates()).toEqual(["opening"]);
  const now = { broadcastId, workerId, generation: second?.generation ?? 0 };
  await zone.get("openPipes", { pipes: [now] });
  expect(await pipeStates()).toEqual(["open"]);
});

test("a view whose media never connects gets two other seats, 15 s each, and is lost then", async () => {
  await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const [first] = await watch(zone, roomId, sessionId);
  const told = () => zone.toldTo(roomId, sessionId).map(({ event }) => event);
  let viewId = first?.viewId;
  for (let seat = 1; seat <= 2; seat += 1) {
    await zone.advance(14_999);
    expect(told()).toHaveLength(seat - 1);
    await zone.advance(1);
    const moved = told().at(-1);
    expect(moved).toMatchObject({ type: "view.moved", viewId, oldRunsMs: 0 });
    viewId = moved && "toViewId" in moved ? moved.toViewId : undefined;
    expect(await zone.count('SELECT count(*) FROM "view"')).toBe(1);
  }
  await zone.advance(15_000);
  expect(await zone.count('SELECT count(*) FROM "view"')).toBe(0);
  expect(told().at(-1)).toMatchObject({ type: "view.lost", viewId });
});

test("a broadcast's end closes its pipes on every host, lingering ones too", async () => {
  const { sessionId: owner, broadcastId } = await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const [view] = await watchActive(zone, roomId, sessionId);
  await leaveView(sessionId, view?.viewId ?? "");
  await zone.get("stopBroadcast", { roomId, sessionId: owner, broadcastId });
  expect(await pipeStates()).toEqual([]);
  expect(closings()).toHaveLength(2);
  expect(await zone.count("SELECT count(*) FROM deadline")).toBe(0);
});
