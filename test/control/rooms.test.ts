import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Room } from "#schema/api/rooms.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import {
  bodyOf,
  callAs,
  enter,
  enterMany,
  leave,
  memberOf,
  openRoom,
  readRoom,
  tokenFor,
  tryEnter,
} from "./api.ts";
import { count } from "./ledger.ts";
import { claimBroadcast } from "./media.ts";

let control: Control;
let key: string;

beforeAll(async () => {
  control = await startControl();
  key = control.keys.api;
});
afterAll(() => control.stop());

async function patch(roomId: string, body: unknown) {
  return control.call("PATCH", `/v1/rooms/${roomId}`, { key, body });
}

/** Viewers and broadcasts of each tier, as rooms show them. */
const limits = [
  [0, 12, 0],
  [1, 12, 6],
  [2, 24, 12],
  [3, 48, 12],
  [4, 48, 24],
  [5, 96, 24],
  [6, 96, 48],
];

test.each(limits)(
  "tier %i admits %i people and %i broadcasts",
  async (tier, viewers, max) => {
    const name = `tier ${tier}`;
    const room = await openRoom(control, { tier, name });
    expect(room).toMatchObject({
      tier,
      name,
      zone: control.zone,
      state: "open",
      epoch: 1,
      reserve: false,
      codec: "vp8",
      sessions: { present: 0, max: viewers },
      broadcasts: { live: 0, max },
    });
    expect(await readRoom(control, room.id)).toEqual(room);
  },
);

test("ten more than a tier admits, all at once: exactly the tier's number enter", async () => {
  const room = await openRoom(control, { tier: 2 });
  const token = await tokenFor(control, room.id, "crowd");
  const tries = Array.from({ length: 34 }, () => tryEnter(control, room.id, token));
  const answers = await Promise.all(tries);
  const entered = answers.filter(({ status }) => status === 201).map(memberOf);
  expect(entered).toHaveLength(24);
  expect(new Set(entered.map(({ sessionId }) => sessionId)).size).toBe(24);
  const refused = answers.filter(({ status }) => status !== 201);
  for (const { status, body, headers } of refused) {
    expect([status, body.code]).toEqual([409, "room-full"]);
    expect(body.detail).toContain("24");
    expect(headers.get("retry-after")).toBe(String(body.retryAfter));
  }
  expect((await readRoom(control, room.id)).sessions.present).toBe(24);
  const rows = "SELECT count(*) FROM session WHERE room_id = ?";
  expect(await count(control, rows, room.id)).toBe(24);

  // Whoever leaves gives one seat back, however often they leave.
  const [first] = entered;
  if (!first) throw new Error("nobody entered");
  expect([await leave(control, first), await leave(control, first)]).toEqual([
    true,
    false,
  ]);
  const again = await Promise.all([1, 2].map(() => tryEnter(control, room.id, token)));
  expect(again.map(({ status }) => status).sort()).toEqual([201, 409]);
});

test("a free room is for chat: it refuses broadcasts and says so", async () => {
  const room = await openRoom(control, { tier: 0 });
  const member = await enter(control, room.id, "ann");
  for (const media of ["camera", "screen"] as const) {
    const { status, body } = await claimBroadcast(control, member, media);
    expect([status, body.code]).toEqual([409, "tier-broadcasts-exceeded"]);
  }
  expect(member.entry.channelPath).toMatch(/\/channels\/global-\d+$/);
});

test("a session without the grant to publish is refused a broadcast", async () => {
  const room = await openRoom(control);
  const member = await enter(control, room.id, "eve", { canPublish: false });
  const { status, body } = await claimBroadcast(control, member);
  expect([status, body.code]).toEqual([403, "forbidden"]);
});

describe("a change of tier", () => {
  test("up and down again keeps the room and its people, in a new epoch", async () => {
    const room = await openRoom(control, { tier: 1 });
    const [member] = await enterMany(control, room.id, 5);
    const up = bodyOf(await patch(room.id, { tier: 3, name: "bigger" }), 200);
    expect(up).toMatchObject({
      id: room.id,
      name: "bigger",
      tier: 3,
      epoch: 2,
      sessions: { present: 5, max: 48 },
    });
    const down = bodyOf(await patch(room.id, { tier: 0 }), 200);
    expect(down).toMatchObject({ tier: 0, epoch: 3, sessions: { present: 5, max: 12 } });
    // The same tier again is no reopening.
    expect(bodyOf(await patch(room.id, { tier: 0 }), 200).epoch).toBe(3);
    if (!member) throw new Error("nobody entered");
    const path = `/v1/sessions/${member.sessionId}/credential`;
    expect((await callAs(control, member, "POST", path)).status).toBe(201);
  });

  test("that has no room for those present is refused and changes nothing", async () => {
    const room = await openRoom(control, { tier: 2 });
    await enterMany(control, room.id, 13);
    const before = await readRoom(control, room.id);
    const answer = await patch(room.id, { tier: 1, name: "smaller" });
    expect([answer.status, answer.body.code]).toEqual([409, "room-full"]);
    expect(await readRoom(control, room.id)).toEqual(before);
  });
});

test("a closed room lets nobody in, keeps nobody, and closing it twice is once", async () => {
  const room = await openRoom(control);
  const token = await tokenFor(control, room.id, "ann");
  const member = memberOf(await tryEnter(control, room.id, token));
  const path = `/v1/rooms/${room.id}`;
  const closed = bodyOf(await control.call("DELETE", path, { key }), 200);
  expect(closed).toMatchObject({ state: "closed", sessions: { present: 0 } });
  expect(bodyOf(await control.call("DELETE", path, { key }), 200)).toEqual(closed);
  for (const answer of [
    await tryEnter(control, room.id, token),
    await patch(room.id, { tier: 2 }),
    await control.call("POST", `${path}/tokens`, { key, body: { identity: "x" } }),
  ]) {
    expect([answer.status, answer.body.code]).toEqual([409, "room-closed"]);
  }
  const renew = `/v1/sessions/${member.sessionId}/credential`;
  expect((await callAs(control, member, "POST", renew)).status).toBe(404);
  expect(
    await count(control, "SELECT count(*) FROM session WHERE room_id = ?", room.id),
  ).toBe(0);
});

test("paging through the rooms shows each exactly once, those opened meanwhile too or not", async () => {
  const opened = await Promise.all(Array.from({ length: 7 }, () => openRoom(control)));
  const seen: string[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const query = `limit=3&cursor=${cursor}`;
    const page: { rooms: Room[]; nextCursor?: string } = bodyOf(
      await control.call("GET", `/v1/rooms?${query}`, { key }),
      200,
    );
    expect(page.rooms.length).toBeLessThanOrEqual(3);
    seen.push(...page.rooms.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  expect(new Set(seen).size).toBe(seen.length);
  for (const { id } of opened) expect(seen).toContain(id);
  expect(seen).toHaveLength(await count(control, "SELECT count(*) FROM room"));
});

test("an application sees who is in its room", async () => {
  const room = await openRoom(control);
  const ann = await enter(control, room.id, "ann");
  const bob = await enter(control, room.id, "bob");
  const path = `/v1/rooms/${room.id}/sessions`;
  const list = async () =>
    bodyOf(await control.call("GET", path, { key }), 200).sessions as unknown[];
  const both = [ann, bob].map(({ sessionId: id, identity }) => ({ id, identity }));
  expect(await list()).toEqual(expect.arrayContaining(both));
  expect(bob.entry.sessions).toEqual(expect.arrayContaining(both));
  await leave(control, ann);
  expect(await list()).toEqual([both[1]]);
});

describe("an idempotency key", () => {
  const keyed = (value: string) => ({ "idempotency-key": value });

  test("makes one entry of many, also of those at the same time", async () => {
    const room = await openRoom(control);
    const token = await tokenFor(control, room.id, "ann");
    const tries = Array.from({ length: 5 }, () =>
      tryEnter(control, room.id, token, keyed("once")),
    );
    const entered = [
      ...(await Promise.all(tries)),
      await tryEnter(control, room.id, token, keyed("once")),
    ].map(memberOf);
    expect(new Set(entered.map(({ sessionId }) => sessionId)).size).toBe(1);
    expect((await readRoom(control, room.id)).sessions.present).toBe(1);
    // Each answer's credential is good.
    for (const member of entered) {
      const path = `/v1/sessions/${member.sessionId}/credential`;
      expect((await callAs(control, member, "POST", path)).status).toBe(201);
    }
  });

  test("survives the broker's memory", async () => {
    const room = await openRoom(control);
    const token = await tokenFor(control, room.id, "ann");
    const first = memberOf(await tryEnter(control, room.id, token, keyed("k")));
    await control.evict("ZoneBroker", control.zone);
    const second = memberOf(await tryEnter(control, room.id, token, keyed("k")));
    expect(second.sessionId).toBe(first.sessionId);
  });

  test("of another principal or room is another key, and another body is refused", async () => {
    const [room, other] = [await openRoom(control), await openRoom(control)];
    const ids = await Promise.all(
      [
        [room.id, "ann"],
        [room.id, "bob"],
        [other.id, "ann"],
      ].map(async ([id = "", identity = ""]) => {
        const token = await tokenFor(control, id, identity);
        return memberOf(await tryEnter(control, id, token, keyed("k"))).sessionId;
      }),
    );
    expect(new Set(ids).size).toBe(3);
    const token = await tokenFor(control, room.id, "ann");
    const path = `/v1/rooms/${room.id}/sessions`;
    const body = { differs: true };
    const answer = await control.call("POST", path, {
      key: token,
      body,
      headers: keyed("k"),
    });
    expect([answer.status, answer.body.code]).toEqual([422, "idempotency-mismatch"]);
    const long = await tryEnter(control, room.id, token, keyed("x".repeat(65)));
    expect(long.body.errors[0].path).toBe("Idempotency-Key");
  });
});
