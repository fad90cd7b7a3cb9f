import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { stateOf } from "#agent/state.ts";
import type { Room } from "#schema/api/rooms.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import {
  bodyOf,
  callAs,
  enter,
  enterMany,
  leave,
  type Member,
  openRoom,
  readRoom,
  tokenFor,
} from "./api.ts";
import { holdings, nothing } from "./ledger.ts";
import { claimBroadcast, goLive, readyViews, watch } from "./media.ts";
import { startNode, type TestNode } from "./node.ts";

/* One consumer worker, so that viewers of both rooms meet on it. */
let control: Control;
let node: TestNode;
let key: string;
let home: Room;
let other: Room;
let ann: Member;
let broadcastId: string;

beforeAll(async () => {
  const timing = { pipeLingerMs: 50, sessionAttachMs: 600_000, viewClaimMs: 600_000 };
  control = await startControl({ settings: { timing } });
  key = control.keys.api;
  node = await startNode(control, "one", "producer:camera:2,consumer:camera:1");
});
afterAll(async () => {
  await node.stop();
  await control.stop();
});

beforeEach(async () => {
  home = await openRoom(control);
  other = await openRoom(control);
  ann = await enter(control, home.id, "ann");
  broadcastId = await goLive(control, ann);
  const token = await tokenFor(control, other.id, "ann");
  const answer = await show(ann, broadcastId, token);
  expect(bodyOf(answer, 200)).toEqual({ broadcastId, rooms: [home.id, other.id] });
});
afterEach(async () => {
  for (const { id } of [home, other]) {
    bodyOf(await control.call("DELETE", `/v1/rooms/${id}`, { key }), 200);
  }
  await expect.poll(() => holdings(control)).toEqual(nothing);
  const left = async () => {
    const { workers } = await stateOf(node.agent);
    return workers.every(
      ({ mediasoup }) => mediasoup.producers + mediasoup.consumers === 0,
    );
  };
  await waitFor(left, { what: "mediasoup to hold nothing" });
});

function show(member: Member, id: string, token: string) {
  return callAs(control, member, "POST", `/v1/broadcasts/${id}/rooms`, {
    body: { token },
  });
}

/** A viewer in each of both rooms. */
async function watchedFromBoth(): Promise<{
  atHome: Member;
  away: Member;
  views: string[];
}> {
  const atHome = await enter(control, home.id, "bob");
  const away = await enter(control, other.id, "carl");
  expect(away.entry.broadcasts.map(({ id }) => id)).toEqual([broadcastId]);
  const watched = await Promise.all([atHome, away].map((one) => watch(control, one)));
  return { atHome, away, views: watched.flatMap(readyViews) };
}

test("a broadcast in two rooms takes one producer place and is counted in both", async () => {
  expect(await holdings(control)).toMatchObject({
    broadcasts: 1,
    places: 1,
    shown: 2,
    live: 2,
  });
  for (const room of [home, other]) {
    expect((await readRoom(control, room.id)).broadcasts.live).toBe(1);
  }
  const { views } = await watchedFromBoth();
  expect(views).toHaveLength(2);
  expect(await holdings(control)).toMatchObject({
    slots: 2,
    points: 2,
    pipes: 1,
    legs: 2,
  });
  const { pipes, workers } = await stateOf(node.agent);
  expect(pipes.outgoing).toHaveLength(1);
  expect(pipes.incoming).toHaveLength(1);
  // One audio and one video leg for both rooms, and two consumers for each viewer.
  const consumer = workers.find(({ role }) => role === "consumer");
  expect(consumer?.mediasoup).toMatchObject({ producers: 2, consumers: 4 });
});

test("their shared pipe closes when the last viewer of either room leaves", async () => {
  const { atHome, away } = await watchedFromBoth();
  await leave(control, atHome);
  await expect
    .poll(() => holdings(control))
    .toMatchObject({ slots: 1, points: 1, pipes: 1 });
  const path = `/v1/sessions/${away.sessionId}/views`;
  expect(path).toContain(away.sessionId);
  await leave(control, away);
  await expect
    .poll(() => holdings(control))
    .toMatchObject({ slots: 0, points: 0, pipes: 0, legs: 0, places: 1 });
  const gone = async () => (await stateOf(node.agent)).pipes.incoming.length === 0;
  await waitFor(gone, { what: "the pipe to close on the host" });
});

test("closing the second room leaves the home as it was", async () => {
  const { atHome, views } = await watchedFromBoth();
  bodyOf(await control.call("DELETE", `/v1/rooms/${other.id}`, { key }), 200);
  expect(await holdings(control)).toMatchObject({
    broadcasts: 1,
    shown: 1,
    live: 1,
    views: 1,
    pipes: 1,
  });
  const stats = await callAs(control, atHome, "GET", `/v1/views/${views[0]}/stats`);
  expect(bodyOf(stats, 200).stats.length).toBeGreaterThan(0);
  // An application reads the numbers of what is in its rooms too.
  const asked = await control.call("GET", `/v1/views/${views[0]}/stats`, { key });
  expect(bodyOf(asked, 200).stats.length).toBeGreaterThan(0);
});

test("closing the home ends the broadcast in both, and its viewers' seats come back", async () => {
  const { away } = await watchedFromBoth();
  bodyOf(await control.call("DELETE", `/v1/rooms/${home.id}`, { key }), 200);
  expect(await holdings(control)).toMatchObject({
    broadcasts: 0,
    views: 0,
    places: 0,
    live: 0,
  });
  // The other room goes on: its people are there, and may broadcast themselves.
  expect((await readRoom(control, other.id)).sessions.present).toBe(1);
  expect((await claimBroadcast(control, away)).status).toBe(201);
});

test("it can be taken out of the second room, and not out of its home", async () => {
  await watchedFromBoth();
  const path = (room: Room) => `/v1/broadcasts/${broadcastId}/rooms/${room.id}`;
  const refused = await callAs(control, ann, "DELETE", path(home));
  expect([refused.status, refused.body.code]).toEqual([422, "validation-failed"]);
  const taken = await callAs(control, ann, "DELETE", path(other));
  expect(bodyOf(taken, 200)).toEqual({ broadcastId, rooms: [home.id] });
  expect(await holdings(control)).toMatchObject({
    shown: 1,
    live: 1,
    views: 1,
    slots: 1,
  });
});

test("showing it again changes nothing, and what may not be shown is refused", async () => {
  const token = await tokenFor(control, other.id, "ann");
  const before = await holdings(control);
  expect((await show(ann, broadcastId, token)).status).toBe(200);
  expect(await holdings(control)).toEqual(before);

  const third = await openRoom(control, { tier: 1 });
  const silent = await tokenFor(control, third.id, "ann", { canPublish: false });
  const chat = await openRoom(control, { tier: 0 });
  const refusals: [token: string, status: number, code: string][] = [
    ["no token at all", 401, "unauthenticated"],
    [silent, 403, "forbidden"],
    [await tokenFor(control, chat.id, "ann"), 409, "tier-broadcasts-exceeded"],
  ];
  const closedToken = await tokenFor(control, third.id, "ann");
  for (const [given, status, code] of refusals) {
    const answer = await show(ann, broadcastId, given);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  }
  bodyOf(await control.call("DELETE", `/v1/rooms/${third.id}`, { key }), 200);
  const answer = await show(ann, broadcastId, closedToken);
  expect([answer.status, answer.body.code]).toEqual([409, "room-closed"]);
  const [bob] = await enterMany(control, home.id, 1);
  const strangers = await show(bob as Member, broadcastId, token);
  expect([strangers.status, strangers.body.code]).toEqual([404, "not-found"]);
});
