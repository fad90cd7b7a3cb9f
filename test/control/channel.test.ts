import { get } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import {
  enter,
  enterMany,
  leave,
  type Member,
  memberOf,
  openRoom,
  readRoom,
  tokenFor,
  tryEnter,
} from "./api.ts";
import { ChannelClient } from "./channel-client.ts";
import { count } from "./ledger.ts";

let control: Control;

beforeAll(async () => {
  // Evicting the broker waits for the timers of its requests to the database.
  const broker = { commitTimeoutMs: 1000 };
  const timing = { sessionGraceMs: 3000, sessionAttachMs: 600_000 };
  control = await startControl({ settings: { broker, timing } });
});
afterAll(() => control.stop());

/** Numbers one after the other, from `first` on. */
function unbroken(first: number, length: number): number[] {
  return Array.from({ length }, (_, at) => first + at);
}

async function present(roomId: string): Promise<number> {
  return (await readRoom(control, roomId)).sessions.present;
}

async function watcherOf(
  roomId: string,
): Promise<{ member: Member; channel: ChannelClient }> {
  const member = await enter(control, roomId, "watcher");
  return { member, channel: await ChannelClient.open(control, member).welcomed() };
}

describe("a hello", () => {
  test("with a credential that is none, or of another room, is refused", async () => {
    const [room, other] = [await openRoom(control), await openRoom(control)];
    const member = await enter(control, room.id, "ann");
    const stranger = await enter(control, other.id, "eve");
    const token = await tokenFor(control, room.id, "ann");
    for (const credential of ["nonsense", stranger.key, token, control.keys.api]) {
      const channel = ChannelClient.open(control, member, { credential });
      expect(await channel.message("refused")).toMatchObject({ code: "unauthenticated" });
      await channel.ended();
      expect(channel.events).toEqual([]);
    }
  });

  test("of a session that ended is refused", async () => {
    const room = await openRoom(control);
    const member = await enter(control, room.id, "ann");
    await leave(control, member);
    const channel = ChannelClient.open(control, member);
    expect(await channel.message("refused")).toMatchObject({ code: "room-closed" });
    await channel.ended();
  });

  test("that never comes closes the socket", async () => {
    const room = await openRoom(control);
    const { member } = await watcherOf(room.id);
    const silent = ChannelClient.openSilent(control, member);
    await silent.closing();
    expect(silent.messages).toEqual([]);
  });
});

test("another origin's page opens no socket, and control's own does", async () => {
  const room = await openRoom(control);
  const path = `/v1/rooms/${room.id}/channels/${room.id}`;
  expect(await upgradeFrom("https://elsewhere.example", path)).toBe(403);
  expect(await upgradeFrom(control.url, path)).toBe(101);
  expect((await control.call("GET", path)).status).toBe(400);
});

/** The status with which a page's attempt to open a WebSocket is answered. */
function upgradeFrom(origin: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = get(new URL(path, control.url), {
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        origin,
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      },
    });
    request.on("response", (response) => resolve(response.statusCode));
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode);
    });
    request.on("error", reject);
  });
}

test("events of fifty comings and goings arrive in order, each once", async () => {
  const room = await openRoom(control, { tier: 3 });
  const { member, channel } = await watcherOf(room.id);
  const members = await enterMany(control, room.id, 25);
  await Promise.all(members.map((one) => leave(control, one)));
  await channel.count("session.left", 25);
  expect(channel.events.map(({ seq }) => seq)).toEqual(
    unbroken(member.entry.eventSeq + 1, 50),
  );
  const joined = channel.events.flatMap(({ event }) =>
    event.type === "session.joined" ? [event.sessionId] : [],
  );
  expect(new Set(joined)).toEqual(new Set(members.map(({ sessionId }) => sessionId)));
});

test("a client that comes back is told exactly what it missed", async () => {
  const room = await openRoom(control, { tier: 3 });
  const { member, channel } = await watcherOf(room.id);
  await enterMany(control, room.id, 3);
  await channel.count("session.joined", 3);
  const after = channel.lastSeq;
  channel.close();
  await channel.ended();
  const missed = await enterMany(control, room.id, 4);
  const back = await ChannelClient.open(control, member, { after }).welcomed();
  await back.count("session.joined", 4);
  expect(back.events.map(({ seq }) => seq)).toEqual(unbroken(after + 1, 4));
  const told = back.events.map(({ event }) => "sessionId" in event && event.sessionId);
  expect(new Set(told)).toEqual(new Set(missed.map(({ sessionId }) => sessionId)));
});

test("evicting the room's channel in mid-conversation loses and doubles nothing", async () => {
  const room = await openRoom(control, { tier: 3 });
  const { member, channel } = await watcherOf(room.id);
  for (let round = 0; round < 3; round++) {
    const entering = enterMany(control, room.id, 5);
    await evictChannel(room.id);
    await entering;
  }
  await channel.count("session.joined", 15);
  expect(channel.events.map(({ seq }) => seq)).toEqual(
    unbroken(member.entry.eventSeq + 1, 15),
  );
});

test("evicting the broker in mid-conversation loses and doubles nothing", async () => {
  const room = await openRoom(control, { tier: 3 });
  const { member, channel } = await watcherOf(room.id);
  const token = await tokenFor(control, room.id, "many");
  // As a client does: the same key again until there is an answer.
  const enterOnce = (key: string) =>
    waitFor(
      async () => {
        const answer = await tryEnter(control, room.id, token, {
          "idempotency-key": key,
        });
        return answer.status === 201 ? memberOf(answer) : undefined;
      },
      { what: "an entry" },
    );
  const entered: Member[] = [];
  for (let round = 0; round < 3; round++) {
    const entering = unbroken(0, 6).map((at) => enterOnce(`${round}-${at}`));
    await control.evict("ZoneBroker", control.zone);
    entered.push(...(await Promise.all(entering)));
  }
  expect(new Set(entered.map(({ sessionId }) => sessionId)).size).toBe(18);
  const rows = "SELECT count(*) FROM session WHERE room_id = ?";
  expect(await count(control, rows, room.id)).toBe(19);
  expect(await present(room.id)).toBe(19);
  await channel.count("session.joined", 18);
  expect(channel.events.map(({ seq }) => seq)).toEqual(
    unbroken(member.entry.eventSeq + 1, 18),
  );
});

/** Ends the channel object's life in memory; one that sleeps has ended it already. */
async function evictChannel(name: string): Promise<void> {
  await control.evict("RoomChannel", name).catch((error: Error) => {
    if (!error.message.includes("not currently running")) throw error;
  });
}

describe("a session", () => {
  test("whose channel is gone for the grace ends, and one that comes back stays", async () => {
    const room = await openRoom(control);
    const { member: gone, channel } = await watcherOf(room.id);
    const { member, channel: first } = await watcherOf(room.id);
    const { channel: observer } = await watcherOf(room.id);
    channel.close();
    first.close();
    await first.ended();
    await ChannelClient.open(control, member).welcomed();
    await observer.count("session.left", 1);
    const left = observer.events.filter(({ event }) => event.type === "session.left");
    expect(left.map(({ event }) => event)).toEqual([
      { type: "session.left", sessionId: gone.sessionId },
    ]);
    expect(await present(room.id)).toBe(2);
  });

  test("has one socket: a second one takes over from the first", async () => {
    const room = await openRoom(control);
    const { member, channel } = await watcherOf(room.id);
    const second = await ChannelClient.open(control, member).welcomed();
    expect(await channel.message("refused")).toMatchObject({ code: "superseded" });
    await channel.ended();
    const [visitor] = await enterMany(control, room.id, 1);
    await second.count("session.joined", 1);
    await leave(control, visitor as Member);
    await second.count("session.left", 1);
    // The socket that was taken over from gives the session no deadline.
    const deadlines = "SELECT count(*) FROM deadline WHERE key = ?";
    expect(await count(control, deadlines, member.sessionId)).toBe(0);
    expect(second.closed).toBeUndefined();
    expect(channel.events).toEqual([]);
  });

  test("that leaves, or whose room closes, is told so and its socket closes", async () => {
    const room = await openRoom(control);
    const { member: leaver, channel: leaving } = await watcherOf(room.id);
    const { channel } = await watcherOf(room.id);
    await leave(control, leaver);
    expect((await leaving.ended()).code).toBe(4410);
    await channel.count("session.left", 1);
    const path = `/v1/rooms/${room.id}`;
    await control.call("DELETE", path, { key: control.keys.api });
    await channel.ended();
    expect(channel.events.at(-1)?.event.type).toMatch(/session.left|room.closed/);
  });
});
