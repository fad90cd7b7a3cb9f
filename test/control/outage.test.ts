import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Fault } from "#control/local/hrana-server.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import {
  bodyOf,
  callAs,
  enter,
  leave,
  type Member,
  memberOf,
  openRoom,
  readRoom,
  tokenFor,
  tryEnter,
} from "./api.ts";
import { ChannelClient } from "./channel-client.ts";
import { count, holdings } from "./ledger.ts";
import { goLive, readyViews, watch, watchBody } from "./media.ts";
import { startNode, type TestNode } from "./node.ts";

const nodeLeaseMs = 2000;

let control: Control;
let node: TestNode;
let roomId: string;
let member: Member;
/** What becomes of the next commits. */
let fates: Fault[] = [];

beforeAll(async () => {
  const timing = {
    heartbeatMs: 200,
    nodeSuspectMs: 1000,
    nodeLeaseMs,
    sessionGraceMs: 500,
    sessionAttachMs: 600_000,
    viewClaimMs: 600_000,
  };
  control = await startControl({
    settings: { timing, broker: { commitTimeoutMs: 1000 } },
    database: {
      faults(requests) {
        const commits = JSON.stringify(requests).includes("batch_guard");
        return (commits ? fates.shift() : undefined) ?? "none";
      },
    },
  });
  node = await startNode(control, "one", "producer:camera:1,consumer:camera:1");
});
afterAll(async () => {
  await node.stop();
  await control.stop();
});

beforeEach(async () => {
  roomId = (await openRoom(control)).id;
  member = await enter(control, roomId, "ann");
});

/** Everything needs the database except what says so. */
async function tryEverything(token: string) {
  const key = control.keys.api;
  const session = `/v1/sessions/${member.sessionId}`;
  return Promise.all([
    control.call("POST", "/v1/rooms", { key, body: { tier: 1 } }),
    control.call("GET", "/v1/rooms", { key }),
    control.call("GET", `/v1/rooms/${roomId}`, { key }),
    control.call("GET", "/v1/nodes", { key: control.keys.operator }),
    control.call("GET", `/v1/nodes/${node.id}/events`, { key: control.keys.operator }),
    control.call("GET", `/v1/views/view_${control.zone}_0000/explain`, { key }),
    tryEnter(control, roomId, token),
    callAs(control, member, "POST", `${session}/credential`),
    callAs(control, member, "POST", `${session}/broadcasts`, {
      body: { media: "camera" },
    }),
    callAs(control, member, "POST", `${session}/views`, { body: watchBody(member) }),
  ]);
}

test("with the database down every request is told so, and nothing is lost or doubled", async () => {
  const broadcastId = await goLive(control, member);
  const viewer = await enter(control, roomId, "bob");
  const [viewId] = readyViews(await watch(control, viewer));
  const token = await tokenFor(control, roomId, "carl");
  const before = await holdings(control);
  const { nodeId, epoch } = await nodeState();

  await control.databaseServer.stop();
  // The broker's picture outlives a short outage; a new one cannot be built.
  await control.evict("ZoneBroker", control.zone);
  bodyOf(await control.call("GET", "/livez"), 200);
  const ready = await control.call("GET", "/readyz");
  expect([ready.status, ready.body.code]).toEqual([503, "unavailable"]);
  expect(ready.body.detail).toContain("control database");
  for (const [at, { status, body, headers }] of (await tryEverything(token)).entries()) {
    expect([at, status, body?.code]).toEqual([at, 503, "unavailable"]);
    expect(headers.get("retry-after"), String(at)).toBe(String(body.retryAfter));
  }
  const keyed = { "idempotency-key": "through-the-outage" };
  const failed = await Promise.all(
    [1, 2, 3].map(() => tryEnter(control, roomId, token, keyed)),
  );
  expect(failed.map(({ status }) => status)).toEqual([503, 503, 503]);
  // Longer than a node's lease: its silence towards the database is not its own.
  const downAtMs = Date.now();
  await waitFor(() => Date.now() - downAtMs > nodeLeaseMs + 500, { what: "the lease" });

  await control.databaseServer.resume();
  await waitFor(async () => (await control.call("GET", "/readyz")).status === 200, {
    what: "control to be ready again",
  });
  expect(await nodeState()).toEqual({ nodeId, epoch, state: "ready" });
  expect(await holdings(control)).toEqual(before);
  const stats = await callAs(control, viewer, "GET", `/v1/views/${viewId}/stats`);
  expect(bodyOf(stats, 200).stats.length).toBeGreaterThan(0);
  // Another database may be slow on a busy machine: refused once more, asked once more.
  const enterThrice = async () => {
    const tried = [1, 2, 3].map(() => tryEnter(control, roomId, token, keyed));
    const answers = await Promise.all(tried);
    return answers.every(({ status }) => status === 201) && answers;
  };
  const entries = await waitFor(enterThrice, { what: "three answers to one entry" });
  expect(new Set(entries.map((one) => memberOf(one).sessionId)).size).toBe(1);
  expect((await readRoom(control, roomId)).sessions.present).toBe(3);
  const path = `/v1/broadcasts/${broadcastId}`;
  expect(bodyOf(await callAs(control, member, "DELETE", path), 200).stopped).toBe(true);
  expect(await holdings(control)).toMatchObject({ broadcasts: 0, views: 0, points: 0 });
});

async function nodeState() {
  const { rows } = await control.database.execute("SELECT id, epoch, state FROM node");
  return { nodeId: rows[0]?.id, epoch: rows[0]?.epoch, state: rows[0]?.state };
}

test.each<Fault>(["drop-before", "drop-after"])(
  "a commit whose answer is lost (%s) counts exactly once",
  async (fate) => {
    const token = await tokenFor(control, roomId, "carl");
    const channel = await ChannelClient.open(control, member).welcomed();
    fates = [fate];
    const entered = await Promise.all(
      [1, 2, 3, 4].map(() => tryEnter(control, roomId, token)),
    );
    expect(fates).toEqual([]);
    const sessions = entered.map((one) => memberOf(one).sessionId);
    expect(new Set(sessions).size).toBe(4);
    const rows = "SELECT count(*) FROM session WHERE room_id = ?";
    expect(await count(control, rows, roomId)).toBe(5);
    expect((await readRoom(control, roomId)).sessions.present).toBe(5);
    await channel.count("session.joined", 4);
    const joined = channel.events.map(
      ({ event }) => "sessionId" in event && event.sessionId,
    );
    expect(new Set(joined)).toEqual(new Set(sessions));
    expect(joined).toHaveLength(4);
    for (const one of entered) await leave(control, memberOf(one));
    expect(await count(control, rows, roomId)).toBe(1);
  },
);

test("a client whose channel breaks in an outage comes back to all its events", async () => {
  const channel = await ChannelClient.open(control, member).welcomed();
  const token = await tokenFor(control, roomId, "bob");
  memberOf(await tryEnter(control, roomId, token));
  await channel.count("session.joined", 1);
  const after = channel.lastSeq;
  await control.databaseServer.stop();
  channel.close();
  await channel.ended();
  const early = ChannelClient.open(control, member, { after });
  // Sent away for now, and not for good.
  expect((await early.ended()).code).toBe(1013);
  expect(early.messages.map(({ type }) => type)).not.toContain("refused");
  await control.databaseServer.resume();
  const back = await ChannelClient.open(control, member, { after }).welcomed();
  memberOf(await tryEnter(control, roomId, token));
  await back.count("session.joined", 1);
  expect(back.events.map(({ seq }) => seq)).toEqual([after + 1]);
});

test("a session whose channel breaks in an outage, and that does not come back, ends", async () => {
  const gone = await enter(control, roomId, "gone");
  const channel = await ChannelClient.open(control, member).welcomed();
  const going = await ChannelClient.open(control, gone).welcomed();
  await control.databaseServer.stop();
  await control.evict("ZoneBroker", control.zone);
  going.close();
  await going.ended();
  // The broker serves in order: it was told of the closing before these.
  for (let time = 0; time < 5; time++) {
    const path = `/v1/rooms/${roomId}`;
    const answer = await control.call("GET", path, { key: control.keys.api });
    expect(answer.status).toBe(503);
  }
  await control.databaseServer.resume();
  await channel.count("session.left", 1);
  const left = channel.events.find(({ event }) => event.type === "session.left");
  expect(left?.event).toMatchObject({ sessionId: gone.sessionId });
  const rows = "SELECT count(*) FROM session WHERE room_id = ?";
  expect(await count(control, rows, roomId)).toBe(1);
});
