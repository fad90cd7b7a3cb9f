import type { Entry, Room } from "#schema/api/rooms.ts";
import type { CallAnswer, CallOptions, Control } from "#test/harness/control.ts";

/** Someone in a room, and the credential with which they call. */
export interface Member {
  sessionId: string;
  roomId: string;
  identity: string;
  key: string;
  entry: Entry;
}

/**
 * The body of an answer that has to have this status.
 * @throws Error with the answer where it has another
 */
export function bodyOf(answer: CallAnswer, status: number) {
  if (answer.status === status) return answer.body;
  const body = JSON.stringify(answer.body);
  throw new Error(`Expected ${status}, got ${answer.status}: ${body}`);
}

/** Opens a room with the API key; tier 1 unless told otherwise. */
export async function openRoom(
  control: Control,
  room: { tier?: number; name?: string; reserve?: boolean } = {},
): Promise<Room> {
  const body = { tier: 1, ...room };
  const answer = await control.call("POST", "/v1/rooms", { key: control.keys.api, body });
  return bodyOf(answer, 201);
}

/** Reads a room with the API key. */
export async function readRoom(control: Control, roomId: string): Promise<Room> {
  const answer = await control.call("GET", `/v1/rooms/${roomId}`, {
    key: control.keys.api,
  });
  return bodyOf(answer, 200);
}

/** Mints a join token with the API key. */
export async function tokenFor(
  control: Control,
  roomId: string,
  identity: string,
  grants: { canPublish?: boolean; canSubscribe?: boolean } = {},
): Promise<string> {
  const answer = await control.call("POST", `/v1/rooms/${roomId}/tokens`, {
    key: control.keys.api,
    body: { identity, ...grants },
  });
  return bodyOf(answer, 201).token;
}

/** Tries to enter with a join token. */
export function tryEnter(
  control: Control,
  roomId: string,
  token: string,
  headers?: Record<string, string>,
): Promise<CallAnswer> {
  const path = `/v1/rooms/${roomId}/sessions`;
  return control.call("POST", path, { key: token, body: {}, headers });
}

/** The member that an entry made. */
export function memberOf(answer: CallAnswer): Member {
  const entry: Entry = bodyOf(answer, 201);
  const { session, credential, room } = entry;
  return {
    sessionId: session.id,
    roomId: room.id,
    identity: session.identity,
    key: credential,
    entry,
  };
}

/** Enters a room under an identity. */
export async function enter(
  control: Control,
  roomId: string,
  identity: string,
  grants: { canPublish?: boolean; canSubscribe?: boolean } = {},
): Promise<Member> {
  const token = await tokenFor(control, roomId, identity, grants);
  return memberOf(await tryEnter(control, roomId, token));
}

/** Enters a room several times at once, with one token. */
export async function enterMany(
  control: Control,
  roomId: string,
  count: number,
): Promise<Member[]> {
  const token = await tokenFor(control, roomId, "many");
  const entries = Array.from({ length: count }, () => tryEnter(control, roomId, token));
  return (await Promise.all(entries)).map(memberOf);
}

/** Calls with a member's credential. */
export function callAs(
  control: Control,
  member: Member,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<CallAnswer> {
  return control.call(method, path, { key: member.key, ...options });
}

/** Leaves, once or again. */
export async function leave(control: Control, member: Member): Promise<boolean> {
  const path = `/v1/sessions/${member.sessionId}`;
  return bodyOf(await callAs(control, member, "DELETE", path), 200).left;
}
