import { drizzle } from "drizzle-orm/libsql/web";
import { beforeEach, expect, test } from "vitest";
import { Changes } from "#control/ledger/changes.ts";
import { type CommitHead, commit } from "#control/ledger/commit.ts";
import { accountUse } from "#schema/control/accounts.ts";
import * as fleet from "#schema/control/fleet.ts";
import * as rooms from "#schema/control/rooms.ts";
import * as views from "#schema/control/views.ts";
import { startZone, type Zone, zoneName } from "#test/harness/zone.ts";
import { broadcaster, join, openRoom, register, watchActive } from "./people.ts";

/*
 * Batches that no broker would write, as a bug might: the database has to refuse
 * each of them by itself, and to take nothing of what stands beside the mistake.
 */

let zone: Zone;
let head: CommitHead;

beforeEach(async () => {
  zone = await startZone();
  await register(zone, { egressKbps: 100_000, ingressKbps: 100_000 });
  const roomId = await openRoom(zone);
  await broadcaster(zone, roomId);
  for (const _ of [1, 2]) await watchActive(zone, roomId, await join(zone, roomId));
  const { rows } = await zone.eye.execute("SELECT * FROM zone");
  head = {
    zoneId: zoneName,
    generation: Number(rows[0]?.generation),
    commitSeq: Number(rows[0]?.commit_seq) + 1,
    pipeGeneration: Number(rows[0]?.pipe_generation),
  };
});

/** Every row of every table, so that nothing can have changed unseen. */
async function everything(): Promise<string> {
  const listed = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
  const { rows } = await zone.eye.execute(listed);
  const dumps = rows.map(({ name }) => zone.eye.execute(`SELECT * FROM "${name}"`));
  return JSON.stringify((await Promise.all(dumps)).map((one) => one.rows));
}

/** The rows that a mistake starts from. */
async function ledger() {
  const db = drizzle(zone.eye);
  const workers = await db.select().from(fleet.worker);
  const [node] = await db.select().from(fleet.node);
  const [room] = await db.select().from(rooms.room);
  const [slot] = await db.select().from(fleet.slot);
  const [view] = await db.select().from(views.view);
  const [broadcast] = await db.select().from(rooms.broadcast);
  const [session] = await db.select().from(rooms.session);
  const [account] = await db.select().from(accountUse);
  const consumer = workers.find((worker) => worker.id === slot?.workerId);
  const producer = workers.find((worker) => worker.role === "producer");
  if (
    !node ||
    !room ||
    !slot ||
    !view ||
    !broadcast ||
    !session ||
    !account ||
    !consumer ||
    !producer
  ) {
    throw new Error("The zone is not as it was set up.");
  }
  return { node, room, slot, view, broadcast, session, account, consumer, producer };
}

type Rows = Awaited<ReturnType<typeof ledger>>;
type Mistake = (changes: Changes, rows: Rows) => void;

const overMarks: Record<string, [string, Mistake]> = {
  "a 13th point": [
    "worker_points",
    (to, { consumer }) => to.workers.put({ ...consumer, pointsUsed: 13 }),
  ],
  "a point below zero": [
    "worker_points",
    (to, { consumer }) => to.workers.put({ ...consumer, pointsUsed: -1 }),
  ],
  "a 31st broadcast on a worker": [
    "worker_broadcasts",
    (to, { producer }) => to.workers.put({ ...producer, broadcastsUsed: 31 }),
  ],
  "a 481st leg": [
    "worker_legs",
    (to, { producer }) => to.workers.put({ ...producer, legsUsed: 481 }),
  ],
  "egress over a node's budget": [
    "node_egress",
    (to, { node }) => to.nodes.put({ ...node, egressUsedKbps: 100_001 }),
  ],
  "ingress over a node's budget": [
    "node_ingress",
    (to, { node }) => to.nodes.put({ ...node, ingressUsedKbps: 100_001 }),
  ],
  "a session above the tier": [
    "room_sessions",
    (to, { room }) => to.rooms.put({ ...room, sessionsPresent: room.sessionsMax + 1 }),
  ],
  "a broadcast above the tier": [
    "room_broadcasts",
    (to, { room }) => to.rooms.put({ ...room, broadcastsLive: room.broadcastsMax + 1 }),
  ],
  "a slot with fewer points than its viewers weigh": [
    "slot_points",
    (to, { slot }) => to.slots.put({ ...slot, viewers: 7, points: 1 }),
  ],
  "a slot with more points than its viewers weigh": [
    "slot_points",
    (to, { slot }) => to.slots.put({ ...slot, points: 2 }),
  ],
  "a slot without viewers": [
    "slot_viewers",
    (to, { slot }) => to.slots.put({ ...slot, viewers: 0, points: 0 }),
  ],
  "a reservation of nothing": [
    "reservation_points",
    (to, { room, consumer }) =>
      to.reservations.put({ roomId: room.id, workerId: consumer.id, points: 0 }),
  ],
  "a second seat for the same viewer": [
    "UNIQUE",
    (to, { view }) => to.views.put({ ...view, id: "view_test_second" }),
  ],
  "a view of a session that is not there": [
    "FOREIGN KEY",
    (to, { view }) => to.views.put({ ...view, sessionId: "session_test_nobody" }),
  ],
  "the end of a session that still holds views": [
    "FOREIGN KEY",
    (to, { view }) => to.sessions.remove(view.sessionId),
  ],
};

const wrongTotals: Record<string, [string, Mistake]> = {
  "points that no slot has": [
    "batch_guard_ok",
    (to, { consumer }) => to.workers.put({ ...consumer, pointsUsed: 2 }),
  ],
  "fewer points than the slots have": [
    "batch_guard_ok",
    (to, { consumer }) => to.workers.put({ ...consumer, pointsUsed: 0 }),
  ],
  "a reservation that the worker's total leaves out": [
    "batch_guard_ok",
    (to, { room, consumer }) => {
      to.reservations.put({ roomId: room.id, workerId: consumer.id, points: 5 });
      to.workers.put(consumer);
    },
  ],
  "a worker that forgets its broadcast": [
    "batch_guard_ok",
    (to, { producer }) => to.workers.put({ ...producer, broadcastsUsed: 0 }),
  ],
  "a worker that forgets its legs": [
    "batch_guard_ok",
    (to, { producer }) => to.workers.put({ ...producer, legsUsed: 0 }),
  ],
  "a slot with a viewer too many": [
    "batch_guard_ok",
    (to, { slot }) => to.slots.put({ ...slot, viewers: slot.viewers + 1 }),
  ],
  "a slot that goes while it is watched": [
    "batch_guard_ok",
    (to, { slot }) => to.slots.remove(slot.broadcastId, slot.workerId, slot.roomId),
  ],
  "a view that no slot counts": [
    "batch_guard_ok",
    (to, { view, broadcast }) =>
      to.views.put({ ...view, id: "view_test_own", sessionId: broadcast.sessionId }),
  ],
  "a room that forgets a session": [
    "batch_guard_ok",
    (to, { room }) => to.rooms.put({ ...room, sessionsPresent: 0 }),
  ],
  "an account that forgets its sessions": [
    "batch_guard_ok",
    (to, { account }) =>
      to.accounts.set(account.accountId, { ...account, sessionsPresent: 0 }),
  ],
  "an account that forgets what is watched": [
    "batch_guard_ok",
    (to, { account }) =>
      to.accounts.set(account.accountId, { ...account, camerasWatched: 1 }),
  ],
  "a room that forgets a broadcast": [
    "batch_guard_ok",
    (to, { room }) => to.rooms.put({ ...room, broadcastsLive: 0 }),
  ],
};

for (const [title, [constraint, mistake]] of Object.entries({
  ...overMarks,
  ...wrongTotals,
})) {
  test(`the database refuses ${title}, and all that came with it`, async () => {
    const before = await everything();
    const rowsNow = await ledger();
    const changes = new Changes();
    // Something innocent stands in the same batch, before and after the mistake.
    changes.sessions.put({ ...rowsNow.session, identity: "renamed" });
    changes.outbox.put({ nodeId: rowsNow.node.id, seq: 999, instruction: {} });
    mistake(changes, rowsNow);
    const result = await commit(zone.eye, head, changes);
    expect(result).toMatchObject({ outcome: "refused" });
    expect(JSON.stringify(result)).toContain(constraint);
    expect(await everything()).toBe(before);
  });
}

for (const [title, wrong] of Object.entries({
  "an older generation": { generation: -1 },
  "a generation that nobody raised": { generation: 1 },
})) {
  test(`the guard refuses a batch of ${title} whole`, async () => {
    const before = await everything();
    const { session } = await ledger();
    const changes = new Changes();
    changes.sessions.put({ ...session, identity: "renamed" });
    const generation = head.generation + wrong.generation;
    const result = await commit(zone.eye, { ...head, generation }, changes);
    expect(result).toEqual({ outcome: "fenced" });
    expect(await everything()).toBe(before);
  });
}

test("the guard refuses a batch for a zone that is not there", async () => {
  const { session } = await ledger();
  const changes = new Changes();
  changes.sessions.put({ ...session, identity: "renamed" });
  const result = await commit(zone.eye, { ...head, zoneId: "other" }, changes);
  expect(result).toEqual({ outcome: "fenced" });
});

test("the same batch without a mistake lands whole", async () => {
  const { session, room, consumer, producer, slot, node } = await ledger();
  const changes = new Changes();
  changes.sessions.put({ ...session, identity: "renamed" });
  changes.rooms.put(room);
  changes.workers.put(consumer);
  changes.workers.put(producer);
  changes.slots.put(slot);
  changes.outbox.put({ nodeId: node.id, seq: 999, instruction: {} });
  expect(await commit(zone.eye, head, changes)).toEqual({ outcome: "done" });
  const renamed = "SELECT count(*) FROM session WHERE identity = 'renamed'";
  expect(await zone.count(renamed)).toBe(1);
  expect(await zone.count("SELECT commit_seq FROM zone")).toBe(head.commitSeq);
});
