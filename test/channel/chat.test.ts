import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { arrive, enter, mint, openRoom } from "./member.ts";

let control: Control;

beforeAll(async () => {
  control = await startControl({
    settings: { chat: { globalChannels: 1, historyMax: 40, burst: 5, perSecond: 1 } },
  });
});
afterAll(() => control.stop());

describe.each([
  ["a free room", 0],
  ["a paid room", 1],
])("in %s", (_, tier) => {
  test("everyone hears what is said, in the same order, and the sender gets a receipt", async () => {
    const roomId = await openRoom(control, tier);
    const ana = await arrive(control, roomId, "ana");
    const ben = await arrive(control, roomId, "ben");
    ana.say("hello", "first");
    const receipt = await ana.next(
      "chat.receipt",
      ({ clientId }) => clientId === "first",
    );
    ben.say("hello yourself");
    await waitFor(() => ana.heard.length === 2 && ben.heard.length === 2, {
      what: "both",
    });
    expect(ana.heard).toEqual(["hello", "hello yourself"]);
    expect(ben.heard).toEqual(ana.heard);
    const [said] = ben.all("chat").flatMap(({ messages }) => messages);
    expect(said).toMatchObject({ seq: receipt.seq, atMs: receipt.atMs, identity: "ana" });
  });

  test("a newcomer gets the history, and one who comes back only what was missed", async () => {
    const roomId = await openRoom(control, tier);
    const ana = await arrive(control, roomId, "ana");
    for (const text of ["one", "two", "three"]) ana.say(text);
    await waitFor(() => ana.heard.length === 3, { what: "three messages" });
    const ben = await arrive(control, roomId, "ben");
    await waitFor(() => ben.heard.length === 3, { what: "the history" });
    expect(ben.heard).toEqual(["one", "two", "three"]);
    const last =
      ben
        .all("chat")
        .flatMap(({ messages }) => messages)
        .at(-1)?.seq ?? 0;
    ben.drop();
    ana.say("four");
    await ben.join({ afterChatSeq: last });
    await waitFor(() => ben.heard.length > 0, { what: "what was missed" });
    expect(ben.heard).toEqual(["four"]);
  });

  test("a message sent again under its own id is not said twice, across an eviction too", async () => {
    const roomId = await openRoom(control, tier);
    const ana = await arrive(control, roomId, "ana");
    ana.say("once", "same");
    const first = await ana.next("chat.receipt");
    await control.evict("RoomChannel", ana.entry.channelPath.split("/").at(-1) ?? "");
    ana.messages = [];
    ana.say("once", "same");
    const second = await ana.next("chat.receipt");
    expect(second.seq).toBe(first.seq);
    const ben = await arrive(control, roomId, "ben");
    await waitFor(() => ben.heard.length > 0, { what: "the history" });
    expect(ben.heard).toEqual(["once"]);
  });
});

test("two rooms on one global channel never see each other", async () => {
  const rooms = await Promise.all([openRoom(control, 0), openRoom(control, 0)]);
  const [ana, ben] = await Promise.all([
    arrive(control, rooms[0], "ana"),
    arrive(control, rooms[1], "ben"),
  ]);
  const channels = [ana, ben].map(({ entry }) => entry.channelPath.split("/").at(-1));
  expect(channels).toEqual(["global-0", "global-0"]);
  ana.say("for room one");
  ben.say("for room two");
  await waitFor(() => ana.heard.length > 0 && ben.heard.length > 0, { what: "both" });
  const cara = await arrive(control, rooms[0], "cara");
  await ana.next("event", ({ event }) => event.type === "session.joined");
  await waitFor(() => cara.heard.length > 0, { what: "the history" });
  expect(ana.heard).toEqual(["for room one"]);
  expect(ben.heard).toEqual(["for room two"]);
  expect(cara.heard).toEqual(["for room one"]);
  expect(ben.all("event")).toEqual([]);
});

test("a flood is told to slow down, and does not hurt the others", async () => {
  const roomId = await openRoom(control, 1);
  const [ana, ben] = await Promise.all([
    arrive(control, roomId, "ana"),
    arrive(control, roomId, "ben"),
  ]);
  for (let at = 0; at < 40; at += 1) ana.say(`flood ${at}`);
  ben.say("in between");
  const refused = await ana.next("chat.refused");
  expect(refused).toMatchObject({ code: "slow-down" });
  expect(refused.retryAfterMs).toBeGreaterThan(0);
  await ben.next("chat.receipt");
  await waitFor(() => ben.heard.includes("in between"), { what: "Ben's message" });
  await waitFor(
    () => ana.all("chat.refused").length + ana.all("chat.receipt").length === 40,
    {
      what: "an answer to each message",
    },
  );
  expect(ana.all("chat.receipt").length).toBeLessThan(10);
});

test("history is bounded, empty and overlong messages are refused with a reason", async () => {
  const roomId = await openRoom(control, 1);
  const ana = await arrive(control, roomId, "ana");
  ana.say("   ", "blank");
  ana.say("x".repeat(2001), "long");
  expect((await ana.next("chat.refused", (one) => one.clientId === "blank")).code).toBe(
    "empty",
  );
  expect((await ana.next("chat.refused", (one) => one.clientId === "long")).code).toBe(
    "too-long",
  );
  const talkers = await Promise.all(
    Array.from({ length: 11 }, (_, at) => arrive(control, roomId, `talker-${at}`)),
  );
  for (const talker of talkers)
    for (let at = 0; at < 5; at += 1) talker.say(`word ${at}`);
  await waitFor(() => ana.heard.length === 55, { what: "all words" });
  ana.drop();
  await ana.join();
  await waitFor(() => ana.heard.length > 0, { what: "the history" });
  expect(ana.heard.length).toBe(40);
});

describe("a moderator", () => {
  test("mutes and unmutes; nobody else may", async () => {
    const roomId = await openRoom(control, 1);
    const mod = await arrive(control, roomId, "mod", true);
    const ben = await arrive(control, roomId, "ben");
    ben.send({ type: "moderate", action: "mute", identity: "mod" });
    expect((await ben.next("moderation.refused")).reason).toContain("roomAdmin");
    mod.send({ type: "moderate", action: "mute", identity: "ben" });
    await ben.next("moderated");
    ben.say("can you hear me");
    expect((await ben.next("chat.refused")).code).toBe("muted");
    mod.send({ type: "moderate", action: "unmute", identity: "ben" });
    await ben.next("moderated", ({ action }) => action === "unmute");
    ben.say("again");
    await ben.next("chat.receipt");
    expect(mod.heard).toEqual(["again"]);
  });

  test("deletes a message for everyone, newcomers included", async () => {
    const roomId = await openRoom(control, 1);
    const mod = await arrive(control, roomId, "mod", true);
    const ben = await arrive(control, roomId, "ben");
    ben.say("regrettable");
    const { seq } = await ben.next("chat.receipt");
    mod.send({ type: "chat.delete", seq });
    expect((await ben.next("chat.deleted")).seq).toBe(seq);
    ben.say("fine");
    await waitFor(() => mod.heard.includes("fine"), { what: "the next message" });
    const cara = await arrive(control, roomId, "cara");
    await waitFor(() => cara.heard.length > 0, { what: "the history" });
    expect(cara.heard).toEqual(["fine"]);
  });

  test("kicks: the session ends with that reason, and its token still lets it back in", async () => {
    const roomId = await openRoom(control, 1);
    const mod = await arrive(control, roomId, "mod", true);
    const ben = await arrive(control, roomId, "ben");
    mod.send({ type: "moderate", action: "kick", identity: "ben" });
    expect((await ben.next("refused")).code).toBe("kicked");
    await mod.next("event", ({ event }) => event.type === "session.left");
    const again = await arrive(control, roomId, "ben");
    expect(again.closed).toBeUndefined();
  });

  test("bans: old and new tokens are void, across reconnects, until the ban is lifted", async () => {
    const roomId = await openRoom(control, 1);
    const mod = await arrive(control, roomId, "mod", true);
    const ben = await arrive(control, roomId, "ben");
    const token = await mint(control, roomId, "ben");
    mod.send({ type: "moderate", action: "ban", identity: "ben" });
    expect((await ben.next("refused")).code).toBe("banned");
    const path = `/v1/rooms/${roomId}/sessions`;
    const old = await control.call("POST", path, { key: token, body: {} });
    expect(old).toMatchObject({ status: 403, body: { code: "banned" } });
    await control.evict("ZoneBroker", control.zone);
    await expect(enter(control, roomId, "ben")).rejects.toThrow("banned");
    await ben.open();
    expect((await ben.next("refused")).code).toBe("room-closed");
    mod.send({ type: "moderate", action: "unban", identity: "ben" });
    await mod.next("moderated", ({ action }) => action === "unban");
    await arrive(control, roomId, "ben");
  });
});
