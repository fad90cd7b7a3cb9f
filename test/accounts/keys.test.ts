import { randomBytes } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bodyOf, callAs, enter, openRoom, tryEnter } from "#test/control/api.ts";
import { registerPaper, registrationOf } from "#test/control/node.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { addAccount, asOperator, mintByHand, openRoomAs } from "./people.ts";

const keysMax = 4;

let control: Control;
const formerSecret = randomBytes(32).toString("hex");

beforeAll(async () => {
  control = await startControl({
    formerSecret,
    settings: { accounts: { keyUsedEveryMs: 1, keysMax, unknownKeyCacheMs: 1 } },
  });
});
afterAll(() => control.stop());

function keysOf(accountId: string) {
  return asOperator(control, "GET", `/v1/accounts/${accountId}/keys`).then(
    (answer) => bodyOf(answer, 200).keys as { id: string; lastUsedAt?: string }[],
  );
}

/** Whether a key is taken, by the cheapest call that needs one. */
async function works(key: string): Promise<boolean> {
  const { status } = await control.call("GET", "/v1/rooms", { key });
  expect([200, 401]).toContain(status);
  return status === 200;
}

test("an account changes over to another key without a moment in which none works", async () => {
  const account = await addAccount(control, "shop");
  const roomId = await openRoomAs(control, account);
  const body = { name: "the next one" };
  const made = await control.call("POST", "/v1/account/keys", {
    key: account.apiKey,
    body,
  });
  const next = bodyOf(made, 201);
  expect(await Promise.all([account.apiKey, next.apiKey].map(works))).toEqual([
    true,
    true,
  ]);
  const [firstId] = account.apiKey.split(".");
  const token = mintByHand({ apiKey: account.apiKey, video: { room: roomId } });
  const revoked = await control.call("DELETE", `/v1/account/keys/${firstId}`, {
    key: next.apiKey,
  });
  expect(bodyOf(revoked, 200).revokedAt).toBeDefined();
  expect(await Promise.all([account.apiKey, next.apiKey].map(works))).toEqual([
    false,
    true,
  ]);
  // What was minted with it is void too.
  expect((await tryEnter(control, roomId, token)).status).toBe(401);
  expect(
    (await control.call("GET", `/v1/rooms/${roomId}`, { key: next.apiKey })).body.id,
  ).toBe(roomId);
});

test("the last key stays with its account, and goes when the operator takes it", async () => {
  const account = await addAccount(control, "careless");
  const [id] = account.apiKey.split(".");
  const own = await control.call("DELETE", `/v1/account/keys/${id}`, {
    key: account.apiKey,
  });
  expect([own.status, own.body.code]).toEqual([409, "last-key"]);
  expect(await works(account.apiKey)).toBe(true);
  const taken = await asOperator(
    control,
    "DELETE",
    `/v1/accounts/${account.id}/keys/${id}`,
  );
  expect(taken.status).toBe(200);
  expect(await works(account.apiKey)).toBe(false);
});

test("an account has so many keys, however many are asked for at once", async () => {
  const account = await addAccount(control, "greedy");
  const asked = await Promise.all(
    Array.from({ length: keysMax + 3 }, () =>
      control.call("POST", "/v1/account/keys", { key: account.apiKey, body: {} }),
    ),
  );
  const codes = asked.map(({ status, body }) => (status === 201 ? "made" : body.code));
  expect(codes.filter((code) => code === "made")).toHaveLength(keysMax - 1);
  expect(new Set(codes)).toEqual(new Set(["made", "too-many-keys"]));
});

test("a suspended account's keys and tokens are refused until it is reinstated", async () => {
  const account = await addAccount(control, "late payer");
  const roomId = await openRoomAs(control, account);
  const token = mintByHand({ apiKey: account.apiKey, video: { room: roomId } });
  const path = `/v1/accounts/${account.id}`;
  bodyOf(await asOperator(control, "PATCH", path, { state: "suspended" }), 200);
  const [listed, entered] = await Promise.all([
    control.call("GET", "/v1/rooms", { key: account.apiKey }),
    tryEnter(control, roomId, token),
  ]);
  for (const { status, body } of [listed, entered]) {
    expect([status, body.code]).toEqual([403, "account-suspended"]);
  }
  bodyOf(await asOperator(control, "PATCH", path, { state: "active" }), 200);
  expect((await tryEnter(control, roomId, token)).status).toBe(201);
});

test("a key of another account finds what a key finds that looks for nothing", async () => {
  const [one, other] = [
    await addAccount(control, "one"),
    await addAccount(control, "two"),
  ];
  const roomId = await openRoomAs(control, one);
  const token = mintByHand({ apiKey: other.apiKey, video: { room: roomId } });
  const entered = await tryEnter(control, roomId, token);
  const absent = roomId.replace(/.{4}$/, "0000");
  const nowhere = mintByHand({ apiKey: other.apiKey, video: { room: absent } });
  const missing = await tryEnter(control, absent, nowhere);
  expect([entered.status, entered.body]).toEqual([missing.status, missing.body]);
  expect([entered.status, entered.body.code]).toEqual([404, "not-found"]);
});

test("it is told when a key was last used, and never by a request that waits for it", async () => {
  const account = await addAccount(control, "user");
  const [id] = account.apiKey.split(".");
  const before = Date.now();
  await works(account.apiKey);
  const used = await waitFor(
    async () => (await keysOf(account.id)).find((key) => key.id === id)?.lastUsedAt,
    { what: "the key's use to be written" },
  );
  expect(Date.parse(used)).toBeGreaterThanOrEqual(before);
});

test("no secret lies open in the accounts, and none leaves after its making", async () => {
  const account = await addAccount(control, "secretive");
  const [id = "", secret = ""] = account.apiKey.split(".");
  const { client } = control.databases.accounts;
  const { rows } = await client.execute("SELECT * FROM api_key");
  const stored = JSON.stringify(rows.map((row) => Object.values(row)));
  expect(stored).toContain(id);
  expect(stored).not.toContain(secret);
  const shown = await Promise.all([
    asOperator(control, "GET", `/v1/accounts/${account.id}`),
    asOperator(control, "GET", `/v1/accounts/${account.id}/keys`),
    control.call("GET", "/v1/account/keys", { key: account.apiKey }),
  ]);
  expect(JSON.stringify(shown.map(({ body }) => body))).not.toContain(secret);
  expect(control.logs().join("\n")).not.toContain(secret);
});

test("a sealed secret opens for its own key alone", async () => {
  const account = await addAccount(control, "victim");
  const thief = await addAccount(control, "thief");
  const idOfKey = (key: string) => key.split(".")[0] ?? "";
  const { client } = control.databases.accounts;
  // Whoever can write to the table plants a secret that they know.
  await client.execute({
    sql: `UPDATE api_key SET sealed_secret =
      (SELECT sealed_secret FROM api_key WHERE id = ?) WHERE id = ?`,
    args: [idOfKey(thief.apiKey), idOfKey(account.apiKey)],
  });
  const planted = `${idOfKey(account.apiKey)}.${thief.apiKey.split(".")[1]}`;
  const { status } = await control.call("GET", "/v1/rooms", { key: planted });
  expect(status).toBe(500);
});

test("hosts outlive the former WEIR_SECRET_KEY: a heartbeat brings what is signed with the present one", async () => {
  const consumer = { role: "consumer", mediaClass: "camera" } as const;
  const body = registrationOf("long-lived", [consumer]);
  const { nodeId, epoch } = bodyOf(await registerPaper(control, body), 200);
  const old = await new SignJWT({ epoch })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience("node")
    .setSubject(nodeId)
    .sign(new TextEncoder().encode(formerSecret));
  const beat = (key: string) =>
    control.call("POST", "/v1/agent/heartbeat", {
      key,
      body: { workers: [], egressKbps: 0, ingressKbps: 0, draining: false },
    });
  const { credential } = bodyOf(await beat(old), 200);
  const present = new TextEncoder().encode(control.keys.secret);
  const { payload } = await jwtVerify(credential, present, { audience: "node" });
  expect(payload).toMatchObject({ sub: nodeId, epoch });
  bodyOf(await beat(credential), 200);
});

test("WEIR_SECRET_KEY is replaced while everything goes on, and secrets are sealed anew", async () => {
  // The harness made its first key under the former secret.
  expect(await works(control.keys.api)).toBe(true);
  const room = await openRoom(control, { tier: 0 });
  const member = await enter(control, room.id, "ann");
  const old = await new SignJWT({
    room: room.id,
    identity: "ann",
    key: "key",
    grants: { canPublish: true },
  })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience("session")
    .setSubject(member.sessionId)
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(formerSecret));
  const path = `/v1/sessions/${member.sessionId}/credential`;
  const renewed = await callAs(control, { ...member, key: old }, "POST", path);
  expect(renewed.status).toBe(201);

  const seals = async () => {
    const sql = "SELECT DISTINCT substr(sealed_secret, 1, 8) AS seal FROM api_key";
    return (await control.databases.accounts.client.execute(sql)).rows.length;
  };
  // A row that nothing opens is in the way of the last test's own making.
  await control.databases.accounts.client.execute(
    "DELETE FROM api_key WHERE account_id = (SELECT id FROM account WHERE name = 'victim')",
  );
  expect(await seals()).toBe(2);
  const resealed = await asOperator(control, "POST", "/v1/secrets/reseal");
  expect(bodyOf(resealed, 200)).toMatchObject({ resealed: 1 });
  expect(await seals()).toBe(1);
  const again = await asOperator(control, "POST", "/v1/secrets/reseal");
  expect(bodyOf(again, 200)).toMatchObject({ resealed: 0 });
});
