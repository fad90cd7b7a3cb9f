import { afterAll, beforeAll, expect, test } from "vitest";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { arrive, enter, openRoom } from "./member.ts";

let control: Control;

beforeAll(async () => {
  control = await startControl({
    settings: {
      chat: {
        globalChannels: 1,
        catchUpMax: 10,
        unreadMax: 20,
        silentMs: 2500,
        presenceEveryMs: 300,
        burst: 100,
        perSecond: 100,
      },
      timing: { sessionGraceMs: 2500 },
    },
  });
});
afterAll(() => control.stop());

const present = async (roomId: string): Promise<number> => {
  const { body } = await control.call("GET", `/v1/rooms/${roomId}`, {
    key: control.keys.api,
  });
  return body.sessions.present;
};

/** Keeps a member's socket from being taken for dead, as the SDK does. */
function pinging(member: { ping(): void }): () => void {
  const timer = setInterval(() => member.ping(), 500);
  return () => clearInterval(timer);
}

test("a socket that vanishes without closing leaves after its silence and its grace", async () => {
  const roomId = await openRoom(control, 1);
  const ana = await arrive(control, roomId, "ana");
  const stop = pinging(ana);
  // Ben's page never pings: to the channel it is a machine without a network.
  await arrive(control, roomId, "ben");
  expect(await present(roomId)).toBe(2);
  const left = await ana.next("event", ({ event }) => event.type === "session.left");
  expect(left.event).toMatchObject({ type: "session.left" });
  expect(await present(roomId)).toBe(1);
  stop();
});

test("two tabs of one person are two sessions, and the count is right", async () => {
  const roomId = await openRoom(control, 1);
  const [one, two] = [
    await arrive(control, roomId, "ana"),
    await arrive(control, roomId, "ana"),
  ];
  expect(one?.sessionId).not.toBe(two?.sessionId);
  expect(await present(roomId)).toBe(2);
  two?.drop();
  await waitFor(async () => (await present(roomId)) === 1, { what: "one session" });
});

test("who was away too long gets the room as it is, and goes on from there", async () => {
  const roomId = await openRoom(control, 2);
  const ana = await arrive(control, roomId, "ana");
  const seen = ana.entry.eventSeq;
  const stop = pinging(ana);
  for (let at = 0; at < 6; at += 1) {
    const guest = await enter(control, roomId, `guest-${at}`);
    const key = guest.entry.credential;
    if (at < 5) await control.call("DELETE", `/v1/sessions/${guest.sessionId}`, { key });
  }
  await ana.next("event", ({ seq }) => seq === seen + 11);
  await ana.join({ afterSeq: seen });
  const { state } = await ana.next("resync");
  expect(state.seq).toBe(seen + 11);
  expect(state.sessions.map(({ identity }) => identity).sort()).toEqual([
    "ana",
    "guest-5",
  ]);
  await enter(control, roomId, "newcomer");
  expect((await ana.next("event")).seq).toBe(seen + 12);
  stop();
});

test("a reader that does not keep up is dropped with a reason, holds up nobody, and resumes", async () => {
  const roomId = await openRoom(control, 1);
  const slow = await arrive(control, roomId, "slow");
  const ana = await arrive(control, roomId, "ana");
  const stop = [pinging(slow), pinging(ana)];
  for (let at = 0; at < 40; at += 1) {
    ana.say(`word ${at}`);
    // Ana tells what has reached her; the slow one tells nothing.
    await waitFor(() => ana.heard.length === at + 1, { what: `word ${at}` });
    ana.send({ type: "ack", received: ana.messages.length });
  }
  expect((await slow.next("refused")).code).toBe("too-slow");
  expect(ana.heard.length).toBe(40);
  const heard = slow.all("chat").flatMap(({ messages }) => messages);
  const before = slow.heard;
  await slow.join({ afterChatSeq: heard.at(-1)?.seq ?? 0 });
  await waitFor(() => before.length + slow.heard.length === 40, { what: "the rest" });
  expect([...before, ...slow.heard]).toEqual(ana.heard);
  for (const end of stop) end();
});

test("a change of tier tells everyone, and who says hello again stays", async () => {
  const roomId = await openRoom(control, 1);
  const [ana, ben] = [
    await arrive(control, roomId, "ana"),
    await arrive(control, roomId, "ben"),
  ];
  const stops = [pinging(ana), pinging(ben)];
  await control.call("PATCH", `/v1/rooms/${roomId}`, {
    key: control.keys.api,
    body: { tier: 3 },
  });
  const { event, seq } = await ana.next(
    "event",
    (one) => one.event.type === "room.reopened",
  );
  expect(event).toMatchObject({ tier: 3, previousTier: 1, epoch: 2 });
  await ben.next("event", (one) => one.event.type === "room.reopened");
  await ana.join({ afterSeq: seq });
  const { rows } = await control.database.execute({
    sql: "SELECT identity FROM session WHERE room_id = ? AND attached ORDER BY identity",
    args: [roomId],
  });
  expect(rows.map((row) => row.identity)).toEqual(["ana"]);
  for (const stop of stops) stop();
});

test("from a free room to a paid one, nobody misses the news or the chat that follows", async () => {
  const roomId = await openRoom(control, 0);
  const ana = await arrive(control, roomId, "ana");
  const stop = pinging(ana);
  await control.call("PATCH", `/v1/rooms/${roomId}`, {
    key: control.keys.api,
    body: { tier: 1 },
  });
  const { seq } = await ana.next("event", ({ event }) => event.type === "room.reopened");
  ana.moveTo(`/v1/rooms/${roomId}/channels/${roomId}`);
  await ana.join({ afterSeq: seq });
  const ben = await arrive(control, roomId, "ben");
  ben.say("in the new channel");
  await waitFor(() => ana.heard.includes("in the new channel"), {
    what: "Ben's message",
  });
  stop();
});
