import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Member as ChannelMember } from "#test/channel/member.ts";
import {
  bodyOf,
  callAs,
  enter,
  leave,
  memberOf,
  openRoom,
  readRoom,
  tryEnter,
} from "#test/control/api.ts";
import { rtpParametersOf } from "#test/control/media.ts";
import { startNode, type TestNode } from "#test/control/node.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { mintByHand, type OfflineToken } from "./people.ts";

let control: Control;
let node: TestNode;
let roomId: string;

/** Requests that reached the databases beside the ledger. */
const asked = { sessions: 0, accounts: 0, premium: 0 };

const counted = (name: keyof typeof asked) => ({
  faults() {
    asked[name] += 1;
    return "none" as const;
  },
});

beforeAll(async () => {
  control = await startControl({
    databases: {
      sessions: counted("sessions"),
      accounts: counted("accounts"),
      premium: counted("premium"),
    },
    settings: { timing: { sessionAttachMs: 600_000, sessionGraceMs: 600_000 } },
  });
  node = await startNode(control, "one", "producer:camera:1,consumer:camera:1");
});
afterAll(async () => {
  await node.stop();
  await control.stop();
});
beforeEach(async () => {
  roomId = (await openRoom(control)).id;
});

function mint(token: Partial<OfflineToken> = {}): string {
  const video = { room: roomId, ...token.video };
  return mintByHand({ apiKey: control.keys.api, ...token, video });
}

/** A session's credential as it would be, had it ended so many seconds ago. */
function endedAgo(credential: string, seconds: number): string {
  const [header, payload = ""] = credential.split(".");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  const end = Math.floor(Date.now() / 1000) - seconds;
  const aged = { ...claims, iat: end - 3600, exp: end };
  const signed = `${header}.${Buffer.from(JSON.stringify(aged)).toString("base64url")}`;
  const mac = createHmac("sha256", control.keys.secret).update(signed);
  return `${signed}.${mac.digest("base64url")}`;
}

const now = () => Date.now() / 1000;

test("a token minted by hand is taken; what is wrong with another is named", async () => {
  memberOf(await tryEnter(control, roomId, mint()));
  const wrong: [Partial<OfflineToken>, RegExp][] = [
    [{ exp: Math.floor(now() - 100) }, /expired/],
    [{ iat: now() + 3600, exp: now() + 7200 }, /iat lies in the future/],
    [{ exp: Math.floor(now() + 86_400 * 3) }, /too long.*24 hours/],
    [{ iat: null, exp: Math.floor(now() + 86_400 * 3) }, /too long/],
    [{ identity: "x".repeat(65) }, /sub/],
    [{ video: { roomJoin: false } }, /roomJoin/],
    [{ video: { canPublishSources: ["hologram"] } }, /canPublishSources/],
    [{ apiKey: `${control.keys.api.split(".")[0]}.another-secret` }, /not valid/],
    [{ apiKey: "key_local_nobody.another-secret" }, /key is not known/],
  ];
  for (const [token, detail] of wrong) {
    const { status, body } = await tryEnter(control, roomId, mint(token));
    expect([status, body.code], JSON.stringify(token)).toEqual([401, "unauthenticated"]);
    expect(body.detail).toMatch(detail);
  }
});

test("a token that cannot be good is refused before any database is asked", async () => {
  const databases = Object.values(control.databases);
  const tokens = [
    mint({ exp: Math.floor(now() - 100) }),
    mint({ apiKey: "no-key.secret" }),
    `${mint().slice(0, -4)}AAAA`,
    "x".repeat(5000),
  ];
  // Its key is known here by now, so that it is the signature that counts.
  memberOf(await tryEnter(control, roomId, mint()));
  await Promise.all(databases.map((one) => one.stop()));
  try {
    for (const token of tokens) {
      expect((await tryEnter(control, roomId, token)).status).toBe(401);
    }
  } finally {
    await Promise.all(databases.map((one) => one.resume()));
  }
});

test("an entry with a known key asks the sessions once, and nothing of the others", async () => {
  memberOf(await tryEnter(control, roomId, mint()));
  Object.assign(asked, { sessions: 0, accounts: 0, premium: 0 });
  const bob = memberOf(await tryEnter(control, roomId, mint({ identity: "bob" })));
  expect(asked).toEqual({ sessions: 1, accounts: 0, premium: 0 });
  const path = `/v1/sessions/${bob.sessionId}/credential`;
  expect((await callAs(control, bob, "POST", path)).status).toBe(201);
  expect(await leave(control, bob)).toBe(true);
  expect(asked).toEqual({ sessions: 1, accounts: 0, premium: 0 });
});

test("a token's sources are all that its session can send", async () => {
  const token = mint({ video: { canPublishSources: ["microphone", "screen_share"] } });
  const member = memberOf(await tryEnter(control, roomId, token));
  const path = `/v1/sessions/${member.sessionId}/broadcasts`;
  const claimed = await callAs(control, member, "POST", path, {
    body: { media: "camera" },
  });
  const { id } = bodyOf(claimed, 201);
  const track = (kind: "audio" | "video", source: string) =>
    callAs(control, member, "POST", `/v1/broadcasts/${id}/tracks`, {
      body: { kind, source, rtpParameters: rtpParametersOf(kind) },
    });
  const camera = await track("video", "camera");
  expect([camera.status, camera.body.code]).toEqual([403, "forbidden"]);
  expect(camera.body.detail).toContain("microphone");
  expect((await track("audio", "microphone")).status).toBe(201);

  const silent = mint({ identity: "bob", video: { canPublishSources: ["screen"] } });
  const bob = memberOf(await tryEnter(control, roomId, silent));
  const refused = await callAs(
    control,
    bob,
    "POST",
    `/v1/sessions/${bob.sessionId}/broadcasts`,
    {
      body: { media: "camera" },
    },
  );
  expect([refused.status, refused.body.code]).toEqual([403, "forbidden"]);
});

test("a revocation voids what an identity has and sends it out; later tokens are good", async () => {
  const before = mint();
  const undated = mint({ iat: null });
  const ann = memberOf(await tryEnter(control, roomId, before));
  const bob = await enter(control, roomId, "bob");
  const key = control.keys.api;
  const path = `/v1/rooms/${roomId}/revocations`;
  const revoked = await control.call("POST", path, { key, body: { identity: "ann" } });
  expect(bodyOf(revoked, 201).sessions).toEqual([ann.sessionId]);
  for (const token of [before, undated, ann.key]) {
    const { status, body } = await tryEnter(control, roomId, token);
    expect([status, body.code]).toEqual([401, "revoked"]);
  }
  expect(
    (await callAs(control, ann, "POST", `/v1/sessions/${ann.sessionId}/credential`))
      .status,
  ).toBe(404);
  memberOf(await tryEnter(control, roomId, mint()));
  memberOf(await tryEnter(control, roomId, mint({ identity: "bob", iat: now() - 10 })));
  expect(await leave(control, bob)).toBe(true);
  // An earlier moment does not take back what was revoked later.
  const body = {
    identity: "ann",
    before: new Date(Date.now() - 3_600_000).toISOString(),
  };
  bodyOf(await control.call("POST", path, { key, body }), 201);
  expect((await tryEnter(control, roomId, before)).body.code).toBe("revoked");
  const coming = {
    identity: "ann",
    before: new Date(Date.now() + 3_600_000).toISOString(),
  };
  const refused = await control.call("POST", path, { key, body: coming });
  expect([refused.status, refused.body.errors[0].path]).toEqual([422, "before"]);
});

test("who lost the connection comes back with an expired credential, into the same place", async () => {
  const small = await openRoom(control, { tier: 0 });
  const token = mint({
    identity: "ann",
    video: {
      room: small.id,
      canPublish: false,
      canPublishSources: ["microphone"],
      roomAdmin: true,
    },
  });
  const ann = memberOf(await tryEnter(control, small.id, token));
  const crowd = Array.from({ length: 11 }, (_, at) => enter(control, small.id, `p${at}`));
  await Promise.all(crowd);
  // Past its end, and past what clocks may differ by.
  const expired = endedAgo(ann.key, 120);
  const renewing = await callAs(
    control,
    { ...ann, key: expired },
    "POST",
    `/v1/sessions/${ann.sessionId}/credential`,
  );
  expect(renewing.status).toBe(401);
  // The room is full: the place is the one that the former session has.
  const back = memberOf(await tryEnter(control, small.id, expired));
  expect(back.identity).toBe("ann");
  expect(back.sessionId).not.toBe(ann.sessionId);
  expect((await readRoom(control, small.id)).sessions.present).toBe(12);
  const sql = "SELECT can_publish, publish_sources, room_admin FROM session WHERE id = ?";
  const { rows } = await control.database.execute({ sql, args: [back.sessionId] });
  expect(Object.values(rows[0] ?? {})).toEqual([0, '["microphone"]', 1]);
  // Into another room it lets nobody, and after the time it lets nobody in.
  expect((await tryEnter(control, roomId, expired)).status).toBe(404);
  const late = await tryEnter(control, small.id, endedAgo(ann.key, 660));
  expect([late.status, late.body.detail]).toEqual([401, "The token has expired."]);
});

test("a credential is renewed on the channel, with all databases down too", async () => {
  const ann = await enter(control, roomId, "ann");
  const member = new ChannelMember(control, ann.entry);
  await member.join();
  const databases = Object.values(control.databases);
  await Promise.all(databases.map((one) => one.stop()));
  member.send({ type: "renew" });
  const { credential, credentialExpiresAt } = await member.next("credential");
  await Promise.all(databases.map((one) => one.resume()));
  expect(Date.parse(credentialExpiresAt)).toBeGreaterThan(
    Date.parse(ann.entry.credentialExpiresAt),
  );
  const path = `/v1/sessions/${ann.sessionId}/credential`;
  const used = await waitFor(
    async () => {
      const answer = await callAs(control, { ...ann, key: credential }, "POST", path);
      return answer.status === 503 ? undefined : answer;
    },
    { what: "control to be back" },
  );
  expect(used.status).toBe(201);
  member.drop();
});
