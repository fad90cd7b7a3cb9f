import { SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Control, startControl } from "#test/harness/control.ts";
import { callAs, enter, memberOf, openRoom, tokenFor, tryEnter } from "./api.ts";

let control: Control;
let roomId: string;

beforeAll(async () => {
  control = await startControl({ settings: { timing: { credentialTtlMs: 1000 } } });
  roomId = (await openRoom(control)).id;
});
afterAll(() => control.stop());

interface Minted {
  secret?: string;
  issuer?: string;
  identity?: string;
  video?: Record<string, unknown>;
  /** Seconds from now; negative ones are over. */
  expiresInSeconds?: number;
}

/** Mints a join token as an application's backend does, with no call to control. */
function mintOffline(minted: Minted = {}): Promise<string> {
  const [issuer = "", secret = ""] = control.keys.api.split(".");
  const seconds = minted.expiresInSeconds ?? 60;
  return new SignJWT({ video: minted.video ?? { room: roomId, roomJoin: true } })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(minted.issuer ?? issuer)
    .setSubject(minted.identity ?? "ann")
    .setExpirationTime(new Date(Date.now() + seconds * 1000))
    .sign(new TextEncoder().encode(minted.secret ?? secret));
}

test("a token minted with the API key's secret alone opens its room", async () => {
  const member = memberOf(await tryEnter(control, roomId, await mintOffline()));
  expect(member.entry.session.identity).toBe("ann");
});

test("a token of another secret, issuer or purpose, or an expired one, is refused", async () => {
  const wrong: Minted[] = [
    { secret: "not-the-secret-not-the-secret-not-the-secret" },
    { issuer: "key_local_stranger" },
    { expiresInSeconds: -120 },
    { video: { room: roomId } },
    { video: { room: roomId, roomJoin: false } },
    { identity: "" },
    { identity: "x".repeat(65) },
  ];
  for (const minted of wrong) {
    const answer = await tryEnter(control, roomId, await mintOffline(minted));
    expect([answer.status, answer.body.code], JSON.stringify(minted)).toEqual([
      401,
      "unauthenticated",
    ]);
  }
  const expired = await tryEnter(
    control,
    roomId,
    await mintOffline({ expiresInSeconds: -120 }),
  );
  expect(expired.body.detail).toContain("expired");
});

test("an unsigned token is refused, whatever it says", async () => {
  const part = (value: unknown) =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const [issuer] = control.keys.api.split(".");
  const claims = { iss: issuer, sub: "ann", video: { room: roomId, roomJoin: true } };
  const exp = Math.floor(Date.now() / 1000) + 60;
  const token = `${part({ alg: "none", typ: "JWT" })}.${part({ ...claims, exp })}.`;
  expect((await tryEnter(control, roomId, token)).status).toBe(401);
});

test("a tier change does not void a token", async () => {
  const room = await openRoom(control, { tier: 1 });
  const token = await tokenFor(control, room.id, "ann");
  const key = control.keys.api;
  const body = { tier: 2 };
  await control.call("PATCH", `/v1/rooms/${room.id}`, { key, body });
  expect(memberOf(await tryEnter(control, room.id, token)).roomId).toBe(room.id);
});

test("a renewed credential speaks for the same session, and a forged one for none", async () => {
  const member = await enter(control, roomId, "ann");
  const path = `/v1/sessions/${member.sessionId}/credential`;
  const { status, body } = await callAs(control, member, "POST", path);
  expect(status).toBe(201);
  expect(Date.parse(body.credentialExpiresAt)).toBeGreaterThan(Date.now());
  const renewed = { ...member, key: body.credential };
  expect((await callAs(control, renewed, "POST", path)).status).toBe(201);
  const forged = await new SignJWT({ room: roomId, identity: "ann" })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience("session")
    .setSubject(member.sessionId)
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode("x".repeat(64)));
  const answer = await callAs(control, { ...member, key: forged }, "POST", path);
  expect([answer.status, answer.body.code]).toEqual([401, "unauthenticated"]);
});
