import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { bodyOf, memberOf, tryEnter } from "#test/control/api.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import {
  addAccount,
  asOperator,
  mintByHand,
  openRoomAs,
  type TestAccount,
} from "./people.ts";
import { deliver, eventOf, paymentOf, stripeSecret, subscriptionOf } from "./stripe.ts";

let control: Control;
const nextSecret = "whsec_that-takes-its-place";

beforeAll(async () => {
  control = await startControl({
    stripeSecret: `${stripeSecret}, ${nextSecret}`,
    webhookLoopback: true,
    settings: {
      databases: { accounts: { pauseMs: 20 }, premium: { pauseMs: 20 } },
    },
  });
});
afterAll(() => control.stop());
afterEach(async () => {
  await control.databases.premium.resume();
  await control.databases.accounts.resume();
});

const day = 86_400;
const now = () => Math.floor(Date.now() / 1000);

/** An account that is entitled to nothing but free rooms. */
const addBuyer = (name: string) => addAccount(control, name, false);

async function open(account: TestAccount, tier: number) {
  const { apiKey: key } = account;
  const { status, body } = await control.call("POST", "/v1/rooms", {
    key,
    body: { tier },
  });
  return { status, code: body.code, detail: body.detail, warnings: body.warnings };
}

async function read(account: TestAccount) {
  const answer = await control.call("GET", "/v1/account", { key: account.apiKey });
  return bodyOf(answer, 200);
}

async function stored(): Promise<number[]> {
  const sql = `SELECT (SELECT count(*) FROM payment_event) AS events,
    (SELECT count(*) FROM purchase) AS purchases`;
  const { rows } = await control.databases.premium.client.execute(sql);
  return Object.values(rows[0] ?? {}).map(Number);
}

test("what Stripe did not sign changes nothing", async () => {
  const account = await addBuyer("forged for");
  const checkout = paymentOf({
    intent: "pi_0",
    accountId: account.id,
    tier: 3,
    days: 30,
  });
  const event = eventOf("checkout.session.completed", now(), checkout);
  const before = await stored();
  const forged = await Promise.all([
    deliver(control, event, { secret: "whsec_somebody_elses" }),
    deliver(control, event, { timestamp: now() - 3600 }),
    deliver(control, event, { tamper: (text) => text.replace(/"3"/, '"6"') }),
    // The same JSON in other bytes is not what was signed.
    deliver(control, event, { tamper: (text) => JSON.stringify(JSON.parse(text)) }),
    control.call("POST", "/v1/payments/stripe", { body: event }),
  ]);
  for (const { status, body } of forged) {
    expect([status, body.code]).toEqual([400, "bad-request"]);
  }
  expect(await stored()).toEqual(before);
  expect((await read(account)).tier).toBe(0);
});

test("while the signing secret is replaced, events signed with either are taken", async () => {
  for (const secret of [stripeSecret, nextSecret]) {
    const event = eventOf("customer.created", now(), {});
    expect((await deliver(control, event, { secret })).status).toBe(200);
  }
});

test("a subscription entitles its account, at once, to rooms up to its tier", async () => {
  const account = await addBuyer("subscriber");
  const refused = await open(account, 3);
  expect(refused).toMatchObject({ status: 402, code: "entitlement-missing" });
  expect(refused.detail).toMatch(/up to tier 0.*buy|ask the operator/);
  const roomId = await openRoomAs(control, account, 0);
  const object = subscriptionOf({
    id: "sub_at_once",
    accountId: account.id,
    tier: 3,
    startsAt: now(),
    periodEndsAt: now() + 30 * day,
  });
  const event = eventOf("customer.subscription.created", now(), object);
  bodyOf(await deliver(control, event), 200);
  expect(await open(account, 3)).toMatchObject({ status: 201 });
  expect(await open(account, 4)).toMatchObject({ status: 402 });
  const { tier, entitlements } = await read(account);
  expect(tier).toBe(3);
  expect(entitlements).toMatchObject([{ tier: 3, source: "payment", state: "active" }]);
  // A room that is raised to a tier is an opening too; one that is lowered is none.
  const raise = (to: number) =>
    control.call("PATCH", `/v1/rooms/${roomId}`, {
      key: account.apiKey,
      body: { tier: to },
    });
  expect((await raise(4)).body.code).toBe("entitlement-missing");
  expect((await raise(3)).status).toBe(200);
});

test("events doubled and out of order come to what happened last", async () => {
  const account = await addBuyer("shuffled");
  const startsAt = now() - 60 * day;
  const of = { id: "sub_shuffled", accountId: account.id, startsAt };
  const created = eventOf(
    "customer.subscription.created",
    startsAt,
    subscriptionOf({ ...of, tier: 2, periodEndsAt: startsAt + 30 * day }),
  );
  const renewed = eventOf(
    "customer.subscription.updated",
    startsAt + 30 * day,
    subscriptionOf({ ...of, tier: 5, periodEndsAt: startsAt + 90 * day }),
  );
  const deleted = eventOf(
    "customer.subscription.deleted",
    startsAt + 40 * day,
    subscriptionOf({
      ...of,
      tier: 5,
      status: "canceled",
      periodEndsAt: startsAt + 90 * day,
      extra: { ended_at: startsAt + 40 * day },
    }),
  );
  bodyOf(await deliver(control, renewed), 200);
  expect((await read(account)).tier).toBe(5);
  // What is older than what is known changes nothing.
  bodyOf(await deliver(control, created), 200);
  expect((await read(account)).tier).toBe(5);
  const deliveries = [deleted, created, renewed, deleted, renewed, created];
  const answers = await Promise.all(deliveries.map((event) => deliver(control, event)));
  for (const answer of answers) bodyOf(answer, 200);
  const { tier, entitlements } = await read(account);
  expect(tier).toBe(0);
  expect(entitlements).toMatchObject([
    {
      tier: 5,
      state: "ended",
      endsAt: new Date((startsAt + 40 * day) * 1000).toISOString(),
    },
  ]);
  const sql = "SELECT count(*) AS rows FROM payment_event WHERE purchase_id = ?";
  const { rows } = await control.databases.premium.client.execute({
    sql,
    args: ["sub_shuffled"],
  });
  expect(Number(rows[0]?.rows)).toBe(3);
});

test("with the accounts down a payment is stored, and carried there when they are back", async () => {
  const account = await addBuyer("patient");
  await control.databases.accounts.stop();
  const checkout = paymentOf({
    intent: "pi_patient",
    accountId: account.id,
    tier: 2,
    days: 30,
  });
  const event = eventOf("checkout.session.completed", now(), checkout);
  bodyOf(await deliver(control, event), 200);
  await control.databases.accounts.resume();
  expect((await waitForAnswer(account)).tier).toBe(0);
  await control.cron();
  await waitFor(async () => (await read(account)).tier === 2, {
    what: "the purchase to be carried",
  });
  expect(await open(account, 2)).toMatchObject({ status: 201 });
});

/** Once more, after the pause in which a database that failed is left alone. */
function waitForAnswer(account: TestAccount) {
  return waitFor(() => read(account), { what: "the accounts to answer" });
}

test("with premium down a payment is to come again, and nothing else waits", async () => {
  const account = await addBuyer("early");
  const checkout = paymentOf({
    intent: "pi_early",
    accountId: account.id,
    tier: 1,
    days: 30,
  });
  const event = eventOf("checkout.session.completed", now(), checkout);
  await control.databases.premium.stop();
  const { status, body, headers } = await deliver(control, event);
  expect([status, body.code, body.part]).toEqual([503, "unavailable", "premium"]);
  expect(headers.get("retry-after")).toBe("2");
  expect(await open(account, 0)).toMatchObject({ status: 201 });
  await control.databases.premium.resume();
  await waitFor(async () => (await deliver(control, event)).status === 200, {
    what: "the payment to be taken",
  });
  expect((await read(account)).tier).toBe(1);
});

test("an end closes nothing that is open, refuses the next opening, and was told before", async () => {
  const told: { type: string; data: Record<string, unknown> }[] = [];
  const server = await listen((body) => told.push(JSON.parse(body)));
  const { port } = server.address() as AddressInfo;
  const account = await addBuyer("ending");
  const other = await addBuyer("not concerned");
  for (const { apiKey: key } of [account, other]) {
    const hook = { url: `http://127.0.0.1:${port}/${key.slice(0, 12)}` };
    const body = { ...hook, events: ["entitlement_expiring"] };
    bodyOf(await control.call("POST", "/v1/webhooks", { key, body }), 201);
  }
  // A day was bought almost a day ago.
  const endsAt = now() + 4;
  const checkout = paymentOf({
    intent: "pi_ending",
    accountId: account.id,
    tier: 1,
    days: 1,
  });
  const event = eventOf("checkout.session.completed", endsAt - day, checkout);
  bodyOf(await deliver(control, event), 200);
  const opened = await control.call("POST", "/v1/rooms", {
    key: account.apiKey,
    body: { tier: 1 },
  });
  const room = bodyOf(opened, 201);
  expect(room.warnings[0]).toContain(new Date(endsAt * 1000).toISOString());
  expect((await read(account)).entitlements[0].state).toBe("expiring");
  await control.cron();
  await control.cron();
  await waitFor(() => told.length > 0, { what: "the warning" });
  await waitFor(() => now() > endsAt, { what: "the entitlement to end" });
  expect(await open(account, 1)).toMatchObject({
    status: 402,
    code: "entitlement-missing",
  });
  const token = mintByHand({ apiKey: account.apiKey, video: { room: room.id } });
  memberOf(await tryEnter(control, room.id, token));
  await control.cron();
  expect(told.map(({ type, data }) => [type, data.accountId, data.tier])).toEqual([
    ["entitlement_expiring", account.id, 1],
  ]);
  server.close();
});

test("a payment that was given back, or that nobody can be found for, entitles to nothing", async () => {
  const account = await addBuyer("refunded");
  const checkout = paymentOf({
    intent: "pi_back",
    accountId: account.id,
    tier: 4,
    days: 30,
  });
  const paid = eventOf("checkout.session.completed", now() - 60, checkout);
  const refund = eventOf("charge.refunded", now(), {
    id: "ch_back",
    payment_intent: "pi_back",
    refunded: true,
  });
  // The refund is told first.
  bodyOf(await deliver(control, refund), 200);
  bodyOf(await deliver(control, paid), 200);
  expect(await open(account, 4)).toMatchObject({ status: 402 });

  const stray = paymentOf({
    intent: "pi_stray",
    accountId: "account_local_nobody",
    tier: 4,
    days: 30,
  });
  bodyOf(
    await deliver(control, eventOf("checkout.session.completed", now(), stray)),
    200,
  );
  const sql = "SELECT trouble FROM purchase WHERE id = 'pi_stray'";
  const { rows } = await control.databases.premium.client.execute(sql);
  expect(rows[0]?.trouble).toContain("account_local_nobody");
  expect(control.logs().join("\n")).toContain("purchase-not-carried");
});

test("a payment that the payer's bank takes back is good again once that is won", async () => {
  const account = await addBuyer("disputed");
  const checkout = { intent: "pi_bank", accountId: account.id, tier: 2, days: 30 };
  const tell = async (type: string, at: number, object: Record<string, unknown>) =>
    bodyOf(await deliver(control, eventOf(type, at, object)), 200);
  await tell("checkout.session.completed", now() - 90, paymentOf(checkout));
  expect(await open(account, 2)).toMatchObject({ status: 201 });
  const dispute = { id: "dp", payment_intent: "pi_bank", status: "needs_response" };
  await tell("charge.dispute.created", now() - 60, dispute);
  expect(await open(account, 2)).toMatchObject({ status: 402 });
  await tell("charge.dispute.closed", now() - 30, { ...dispute, status: "won" });
  expect(await open(account, 2)).toMatchObject({ status: 201 });
});

test("an operator entitles by hand, and ends it", async () => {
  const account = await addBuyer("friend");
  const path = `/v1/accounts/${account.id}/entitlements`;
  const granted = await asOperator(control, "POST", path, { tier: 6 });
  const { id } = bodyOf(granted, 201);
  expect(await open(account, 6)).toMatchObject({ status: 201 });
  for (let times = 0; times < 2; times++) {
    const ended = await asOperator(control, "DELETE", `${path}/${id}`);
    expect(bodyOf(ended, 200).state).toBe("ended");
  }
  expect(await open(account, 6)).toMatchObject({ status: 402 });
});

function listen(take: (body: string) => void): Promise<Server> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      take(body);
      response.end();
    });
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}
