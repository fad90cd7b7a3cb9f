import { afterAll, beforeAll, expect, test } from "vitest";
import { Member } from "#test/channel/member.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { bodyOf, tryEnter } from "./api.ts";

let control: Control;

beforeAll(async () => {
  control = await startControl({ lobby: "open" });
});
afterAll(() => control.stop());

async function openLobbyRoom(): Promise<{ id: string; moderatorKey: string }> {
  return bodyOf(
    await control.call("POST", "/v1/lobby/rooms", { body: { tier: 0 } }),
    201,
  );
}

function askToken(roomId: string, body: { identity: string; moderatorKey?: string }) {
  return control.call("POST", `/v1/lobby/rooms/${roomId}/tokens`, { body });
}

async function isModerator(roomId: string, token: string): Promise<boolean> {
  const member = new Member(control, bodyOf(await tryEnter(control, roomId, token), 201));
  const { roomAdmin } = await member.join();
  member.drop();
  return roomAdmin;
}

test("whoever opened a room moderates it, and whoever was invited does not", async () => {
  const { id, moderatorKey } = await openLobbyRoom();
  const opener = bodyOf(await askToken(id, { identity: "ana", moderatorKey }), 201);
  const guest = bodyOf(await askToken(id, { identity: "ben" }), 201);
  expect(await isModerator(id, opener.token)).toBe(true);
  expect(await isModerator(id, guest.token)).toBe(false);
});

test("a moderator's key is good for its own room alone", async () => {
  const [one, other] = [await openLobbyRoom(), await openLobbyRoom()];
  expect(one.moderatorKey).not.toBe(other.moderatorKey);
  for (const moderatorKey of [other.moderatorKey, "", "0".repeat(64)]) {
    const answer = await askToken(one.id, { identity: "eve", moderatorKey });
    expect(answer).toMatchObject({ status: 403, body: { code: "forbidden" } });
  }
});

test("the key of a room leaves the lobby at its opening only", async () => {
  const { id, moderatorKey } = await openLobbyRoom();
  const guest = bodyOf(await askToken(id, { identity: "ben" }), 201);
  const entry = await tryEnter(control, id, guest.token);
  const read = await control.call("GET", `/v1/rooms/${id}`, { key: control.keys.api });
  for (const answer of [entry, read]) {
    expect(JSON.stringify(answer.body)).toContain(id);
    expect(JSON.stringify(answer.body)).not.toContain(moderatorKey);
  }
});
