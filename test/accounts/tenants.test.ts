import { afterAll, beforeAll, expect, test } from "vitest";
import { bodyOf, memberOf, tryEnter } from "#test/control/api.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { helloFrom } from "./page-socket.ts";
import { addAccount, asOperator, mintByHand, openRoomAs } from "./people.ts";

/* What accounts of one zone may, each for itself. */

let control: Control;

beforeAll(async () => {
  control = await startControl({
    settings: { databases: { accounts: { pauseMs: 50 } } },
  });
});
afterAll(() => control.stop());

const capped = (id: string, caps: Record<string, number | null>) =>
  asOperator(control, "PATCH", `/v1/accounts/${id}`, { caps });

test("of 12 who enter at once, a capped account's rooms take 5, and another's all", async () => {
  const [shop, other] = [
    await addAccount(control, "shop"),
    await addAccount(control, "other"),
  ];
  const rooms = [await openRoomAs(control, shop), await openRoomAs(control, shop)];
  const free = await openRoomAs(control, other);
  const set = bodyOf(await capped(shop.id, { sessions: 5 }), 200);
  expect(set.caps).toMatchObject({
    rooms: { max: null, own: false, used: 2 },
    sessions: { max: 5, own: true, used: 0 },
  });
  const come = ({ apiKey }: { apiKey: string }, room = "") =>
    Promise.all(
      Array.from({ length: 12 }, (_, at) => {
        const to = room || (rooms[at % 2] ?? "");
        const minting = { apiKey, identity: `nr ${at}`, video: { room: to } };
        return tryEnter(control, to, mintByHand(minting));
      }),
    );
  const answers = await come(shop);
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(5);
  for (const { status, body } of answers.filter((one) => one.status !== 201)) {
    expect([status, body.code]).toEqual([409, "account-cap-exceeded"]);
    expect(body.cap).toEqual({ name: "sessions", max: 5, used: 5 });
    expect(body.detail).toMatch(/5 sessions.*5 are in use/);
  }
  expect((await come(other, free)).every(({ status }) => status === 201)).toBe(true);

  // A lower cap closes nothing; the account sees it and what it holds.
  await capped(shop.id, { sessions: 2 });
  const seen = await control.call("GET", "/v1/account", { key: shop.apiKey });
  expect(bodyOf(seen, 200).caps.sessions).toEqual({ max: 2, own: true, used: 5 });
  for (const { status, body } of answers.slice(0, 12)) {
    if (status !== 201) continue;
    const path = `/v1/sessions/${body.session.id}`;
    const key = body.credential;
    expect((await control.call("DELETE", path, { key })).status).toBe(200);
  }
  const after = await control.call("GET", "/v1/account", { key: shop.apiKey });
  expect(bodyOf(after, 200).caps.sessions.used).toBe(0);
});

test("with the accounts down, the caps that the zone was told last hold on", async () => {
  const shop = await addAccount(control, "shop");
  const room = await openRoomAs(control, shop);
  await capped(shop.id, { sessions: 1 });
  const token = mintByHand({ apiKey: shop.apiKey, video: { room } });
  memberOf(await tryEnter(control, room, token));
  await control.databases.accounts.stop();
  try {
    const refused = await tryEnter(control, room, token);
    expect([refused.status, refused.body.code]).toEqual([409, "account-cap-exceeded"]);
  } finally {
    await control.databases.accounts.resume();
    await waitFor(async () => (await control.call("GET", "/readyz")).status === 200, {
      what: "the accounts to be back",
    });
  }
});

test("an account cannot cap itself otherwise, and caps have to be whole numbers", async () => {
  const shop = await addAccount(control, "shop");
  const path = `/v1/accounts/${shop.id}`;
  const own = { key: shop.apiKey, body: { caps: { rooms: 9 } } };
  expect((await control.call("PATCH", path, own)).status).toBe(401);
  for (const rooms of [-1, 1.5, "many"]) {
    const answer = await asOperator(control, "PATCH", path, { caps: { rooms } });
    expect([answer.status, answer.body.errors?.[0]?.path]).toEqual([422, "caps.rooms"]);
  }
});

/** Whether a page of an origin may read what it is answered. */
const readable = (headers: Headers, origin: string) =>
  headers.get("access-control-allow-origin") === origin;

async function preflight(origin: string, path: string): Promise<boolean> {
  const asked = { origin, "access-control-request-method": "DELETE" };
  const url = new URL(path, control.url);
  const { headers } = await fetch(url, { method: "OPTIONS", headers: asked });
  return readable(headers, origin);
}

test("an account's pages call and read for it, and another account's do not", async () => {
  const [shop, club] = [
    await addAccount(control, "shop"),
    await addAccount(control, "club"),
  ];
  const sites = { shop: "https://shop.example", club: "https://club.example:8443" };
  const change = { key: shop.apiKey, body: { allowedOrigins: [sites.shop] } };
  const changed = bodyOf(await control.call("PATCH", "/v1/account", change), 200);
  expect(changed.allowedOrigins).toEqual([sites.shop]);
  const path = `/v1/accounts/${club.id}`;
  const allowedOrigins = [sites.club, sites.club];
  const set = await asOperator(control, "PATCH", path, { allowedOrigins });
  expect(bodyOf(set, 200).allowedOrigins).toEqual([sites.club]);

  const room = await openRoomAs(control, shop);
  const entering = `/v1/rooms/${room}/sessions`;
  for (const site of Object.values(sites)) {
    expect(await preflight(site, entering)).toBe(true);
    // Whoever has no credential to show is asked for none there.
    expect(await preflight(site, "/v1/lobby/rooms")).toBe(false);
    expect(await preflight(site, path)).toBe(false);
  }
  expect(await preflight("https://evil.example", entering)).toBe(false);

  const token = () => mintByHand({ apiKey: shop.apiKey, video: { room } });
  const entered = await tryEnter(control, room, token(), { origin: sites.shop });
  const member = memberOf(entered);
  expect(readable(entered.headers, sites.shop)).toBe(true);
  const foreign = await tryEnter(control, room, token(), { origin: sites.club });
  expect([foreign.status, readable(foreign.headers, sites.club)]).toEqual([201, false]);
  for (const [key, call] of [
    [shop.apiKey, "/v1/rooms"],
    [member.key, `/v1/sessions/${member.sessionId}/may-broadcast?media=camera`],
  ] as const) {
    for (const origin of Object.values(sites)) {
      const { headers } = await control.call("GET", call, { key, headers: { origin } });
      expect(readable(headers, origin), `${call} ${origin}`).toBe(origin === sites.shop);
      expect(headers.get("vary")).toContain("Origin");
    }
  }
  // Why a credential is refused is for the page that brought it.
  const refused = await tryEnter(control, room, "no token", { origin: sites.shop });
  expect([refused.status, readable(refused.headers, sites.shop)]).toEqual([401, true]);

  expect(await helloFrom(control, member, sites.shop)).toBe("welcome");
  expect(await helloFrom(control, member, sites.club)).toBe("unauthenticated");
  expect(await helloFrom(control, member, "https://evil.example")).toBe("not opened");

  // Who is in goes on where the accounts are down, and their page is told all.
  await control.databases.accounts.stop();
  try {
    const { headers } = await control.call("GET", `/v1/sessions/${member.sessionId}`, {
      key: member.key,
      headers: { origin: sites.shop },
    });
    expect(readable(headers, sites.shop)).toBe(true);
    expect(await helloFrom(control, member, sites.shop)).toBe("welcome");
  } finally {
    await control.databases.accounts.resume();
  }
});

test("what is no origin is refused as such", async () => {
  const { apiKey: key } = await addAccount(control, "shop");
  for (const wrong of ["shop.example", "https://shop.example/", "ftp://a", "null", "*"]) {
    const body = { allowedOrigins: [wrong] };
    const { status, body: said } = await control.call("PATCH", "/v1/account", {
      key,
      body,
    });
    expect([status, said.errors[0].path]).toEqual([422, "allowedOrigins.0"]);
    expect(said.errors[0].message).toContain("https://host");
  }
});
