import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { stateOf } from "#agent/state.ts";
import { Member as ChannelMember } from "#test/channel/member.ts";
import {
  bodyOf,
  callAs,
  enter,
  type Member,
  memberOf,
  openRoom,
  tokenFor,
  tryEnter,
} from "#test/control/api.ts";
import { goLive, readyViews, watch } from "#test/control/media.ts";
import { startNode, type TestNode } from "#test/control/node.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { addAccount, asOperator, mintByHand, openRoomAs } from "./people.ts";

let control: Control;
let node: TestNode;
let roomId: string;
let ann: Member;

const pauseMs = 50;

beforeAll(async () => {
  const brief = { pauseMs };
  control = await startControl({
    accountsReplica: true,
    stripeSecret: "whsec_test",
    settings: {
      databases: {
        sessions: brief,
        accounts: brief,
        accountsReplica: { pauseMs, timeoutMs: 200 },
        premium: brief,
        readyMs: 1,
      },
      accounts: { unknownKeyCacheMs: 1 },
      broker: { commitTimeoutMs: 1000 },
      timing: { sessionAttachMs: 600_000, viewClaimMs: 600_000 },
    },
  });
  node = await startNode(control, "one", "producer:camera:1,consumer:camera:1");
  roomId = (await openRoom(control)).id;
  ann = await enter(control, roomId, "ann");
});
afterAll(async () => {
  await node.stop();
  await control.stop();
});
afterEach(async () => {
  for (const database of Object.values(control.databases)) await database.resume();
  await control.replica?.resume();
  await waitFor(async () => (await control.call("GET", "/readyz")).body.status === "ok", {
    what: "every database to be back",
  });
});

const refusalOf = ({ status, body, headers }: Awaited<ReturnType<typeof tryEnter>>) => ({
  status,
  code: body?.code,
  part: body?.part,
  named: body?.detail?.includes(`${body?.part} database`),
  retry: headers.get("retry-after") !== null,
});
const down = (part: string) => ({
  status: 503,
  code: "unavailable",
  part,
  named: true,
  retry: true,
});

async function ready() {
  const { status, body } = await control.call("GET", "/readyz");
  return { status, parts: body.parts, part: body.part };
}

const bobsToken = () => tokenFor(control, roomId, "bob");

async function leaveAgain(member: Member): Promise<void> {
  await callAs(control, member, "DELETE", `/v1/sessions/${member.sessionId}`);
}

test("without premium everything goes on that costs nothing", async () => {
  await control.databases.premium.stop();
  expect(await ready()).toMatchObject({ status: 200, parts: { premium: "down" } });
  const room = await openRoom(control, { tier: 2 });
  memberOf(await tryEnter(control, room.id, await tokenFor(control, room.id, "bob")));
  await addAccount(control, "while premium is down");
});

test("without sessions nobody enters, and everyone who is in goes on", async () => {
  const token = await bobsToken();
  await control.databases.sessions.stop();
  expect(refusalOf(await tryEnter(control, roomId, token))).toEqual(down("sessions"));
  expect(refusalOf(await tryEnter(control, roomId, ann.key))).toEqual(down("sessions"));
  expect(await ready()).toMatchObject({
    status: 503,
    part: "sessions",
    parts: { sessions: "down", control: "up", accounts: "up" },
  });
  await openRoom(control);
  const broadcastId = await goLive(control, ann);
  const renewed = await callAs(
    control,
    ann,
    "POST",
    `/v1/sessions/${ann.sessionId}/credential`,
  );
  expect(renewed.status).toBe(201);
  const path = `/v1/broadcasts/${broadcastId}`;
  expect(bodyOf(await callAs(control, ann, "DELETE", path), 200).stopped).toBe(true);
});

test("without the accounts' primary, rooms are entered by way of the replica", async () => {
  const account = await addAccount(control, "on the replica");
  const room = await openRoomAs(control, account);
  // A key that nobody has used here yet, so that nothing is remembered of it.
  const made = await control.call("POST", "/v1/account/keys", {
    key: account.apiKey,
    body: {},
  });
  const { apiKey } = bodyOf(made, 201);
  await control.replica?.catchUp();
  await control.databases.accounts.stop();
  expect(await ready()).toMatchObject({
    status: 200,
    parts: { accounts: "replica-only" },
  });
  memberOf(await tryEnter(control, room, mintByHand({ apiKey, video: { room } })));
  expect(refusalOf(await asOperator(control, "GET", "/v1/accounts"))).toEqual(
    down("accounts"),
  );
  // A key that even the replica does not know is not refused for good.
  const unknown = mintByHand({ apiKey: "key_local_unseen.secret", video: { room } });
  expect(refusalOf(await tryEnter(control, room, unknown))).toEqual(down("accounts"));
});

test("without the replica, or with one that lags, the primary answers", async () => {
  const account = await addAccount(control, "newer than the replica");
  const room = await openRoomAs(control, account);
  const token = mintByHand({ apiKey: account.apiKey, video: { room } });
  memberOf(await tryEnter(control, room, token));
  await control.replica?.stop();
  const other = await addAccount(control, "without a replica");
  const otherRoom = await openRoomAs(control, other);
  const video = { room: otherRoom };
  memberOf(
    await tryEnter(control, otherRoom, mintByHand({ apiKey: other.apiKey, video })),
  );
  expect(await ready()).toMatchObject({ status: 200, parts: { accounts: "up" } });
});

test("without any accounts, keys that are known here serve on, and others wait", async () => {
  const token = await bobsToken();
  const account = await addAccount(control, "never seen");
  await control.databases.accounts.stop();
  await control.replica?.stop();
  expect(await ready()).toMatchObject({ status: 503, part: "accounts" });
  await leaveAgain(memberOf(await tryEnter(control, roomId, token)));
  const unseen = mintByHand({ apiKey: account.apiKey, video: { room: roomId } });
  expect(refusalOf(await tryEnter(control, roomId, unseen))).toEqual(down("accounts"));
});

test("a revoked key opens no room from the moment on, though a replica still knows it", async () => {
  const account = await addAccount(control, "stolen from");
  const room = await openRoomAs(control, account);
  await control.replica?.catchUp();
  const [keyId] = account.apiKey.split(".");
  const token = mintByHand({ apiKey: account.apiKey, video: { room } });
  await leaveAgain(memberOf(await tryEnter(control, room, token)));
  const path = `/v1/accounts/${account.id}/keys/${keyId}`;
  bodyOf(await asOperator(control, "DELETE", path), 200);
  const entered = await tryEnter(control, room, token);
  expect([entered.status, entered.body.code]).toEqual([401, "revoked"]);
  const opened = await control.call("POST", "/v1/rooms", {
    key: account.apiKey,
    body: { tier: 0 },
  });
  expect([opened.status, opened.body.code]).toEqual([401, "unauthenticated"]);
  // Not even when the replica is all that there is.
  await control.databases.accounts.stop();
  const again = await control.call("GET", "/v1/rooms", { key: account.apiKey });
  expect([again.status, again.body.code]).toEqual([401, "unauthenticated"]);
});

test("without the ledger nobody enters, and it is named", async () => {
  const token = await bobsToken();
  await control.databases.control.stop();
  await control.evict("ZoneBroker", control.zone);
  expect(refusalOf(await tryEnter(control, roomId, token))).toEqual(down("control"));
  expect(await ready()).toMatchObject({ status: 503, part: "control" });
});

test("without any database, media runs on and who is in a room talks on", async () => {
  const broadcastId = await goLive(control, ann);
  const bob = memberOf(await tryEnter(control, roomId, await bobsToken()));
  const [viewId] = readyViews(await watch(control, bob));
  const [annTalks, bobTalks] = [ann, bob].map(
    ({ entry }) => new ChannelMember(control, entry),
  );
  await annTalks?.join();
  await bobTalks?.join();
  // mediasoup's own word, and not what anybody wrote down about it.
  const media = async () =>
    (await stateOf(node.agent)).workers.map(({ role, mediasoup }) => [role, mediasoup]);
  const before = await media();
  expect(JSON.stringify(before)).toMatch(/"consumers":[1-9]/);

  const databases = [...Object.values(control.databases), control.replica];
  await Promise.all(databases.map((database) => database?.stop()));
  annTalks?.send({ type: "chat.send", clientId: "one", text: "still here" });
  const said = await bobTalks?.next("chat");
  expect(said?.messages.map(({ text }) => text)).toEqual(["still here"]);
  expect(await ready()).toMatchObject({
    status: 503,
    parts: { control: "down", sessions: "down", accounts: "down", premium: "down" },
  });
  expect(await media()).toEqual(before);

  await Promise.all(databases.map((database) => database?.resume()));
  await waitFor(async () => (await ready()).status === 200, { what: "control" });
  expect(await media()).toEqual(before);
  const stats = await callAs(control, bob, "GET", `/v1/views/${viewId}/stats`);
  expect(bodyOf(stats, 200).stats.length).toBeGreaterThan(0);
  const path = `/v1/broadcasts/${broadcastId}`;
  expect(bodyOf(await callAs(control, ann, "DELETE", path), 200).stopped).toBe(true);
});
