import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { registerPaper, registrationOf } from "#test/control/node.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { enter, openRoom } from "./member.ts";

interface Delivery {
  path: string;
  headers: Record<string, string>;
  text: string;
  body: { type: string; data: { room?: { id: string; seq: number } } };
}

let control: Control;
let receiver: Server;
let address: string;
let delivered: Delivery[] = [];
/** What the receiver answers; tests make it fail. */
let answer: (delivery: Delivery) => number = () => 200;

beforeAll(async () => {
  control = await startControl({ webhookLoopback: true });
  receiver = createServer((request, response) => {
    void receive(request).then((status) => {
      response.writeHead(status, status === 302 ? { location: "/elsewhere" } : {}).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
afterAll(async () => {
  receiver.close();
  await control.stop();
});
beforeEach(async () => {
  const { body } = await api("GET", "/v1/webhooks");
  for (const { id } of body.webhooks) await api("DELETE", `/v1/webhooks/${id}`);
  delivered = [];
  answer = () => 200;
});

async function receive(request: IncomingMessage): Promise<number> {
  let text = "";
  for await (const chunk of request) text += chunk;
  const headers = request.headers as Record<string, string>;
  const delivery = { path: request.url ?? "", headers, text, body: JSON.parse(text) };
  delivered.push(delivery);
  return answer(delivery);
}

const api = (method: string, path: string, body?: unknown) =>
  control.call(method, path, { key: control.keys.api, body });

async function addWebhook(
  events: string[] = [],
): Promise<{ id: string; secret: string }> {
  const { status, body } = await api("POST", "/v1/webhooks", { url: address, events });
  expect(status).toBe(201);
  return body;
}

const types = () => delivered.map(({ body }) => body.type);

test("a room's life is told in order, signed as Standard Webhooks are", async () => {
  const { secret } = await addWebhook();
  const roomId = await openRoom(control, 1);
  const ana = await enter(control, roomId, "ana");
  await control.call("DELETE", `/v1/sessions/${ana.sessionId}`, {
    key: ana.entry.credential,
  });
  await api("PATCH", `/v1/rooms/${roomId}`, { tier: 2 });
  await api("DELETE", `/v1/rooms/${roomId}`);
  await waitFor(() => delivered.length === 5, { what: "five deliveries" });
  expect(types()).toEqual([
    "room_started",
    "participant_joined",
    "participant_left",
    "tier_changed",
    "room_finished",
  ]);
  expect(delivered.map(({ body }) => body.data.room?.seq)).toEqual([1, 2, 3, 4, 5]);
  const webhook = new Webhook(secret);
  for (const { text, headers } of delivered) webhook.verify(text, headers);
});

test("secrets lie sealed in the ledger, and one that did not is sealed by resealing", async () => {
  const { id, secret } = await addWebhook();
  const stored = async () => {
    const sql = { sql: "SELECT secret FROM webhook WHERE id = ?", args: [id] };
    return String((await control.database.execute(sql)).rows[0]?.secret);
  };
  expect(await stored()).not.toContain(secret.slice("whsec_".length));
  const plain = { sql: "UPDATE webhook SET secret = ? WHERE id = ?", args: [secret, id] };
  await control.database.execute(plain);
  const key = control.keys.operator;
  const { body } = await control.call("POST", "/v1/secrets/reseal", { key });
  expect(body.resealed).toBe(1);
  expect(await stored()).not.toContain(secret.slice("whsec_".length));
  await openRoom(control, 1);
  await waitFor(() => delivered.length === 1, { what: "the delivery" });
  for (const { text, headers } of delivered) new Webhook(secret).verify(text, headers);
});

test("what happens to hosts is told to the operator's endpoints, and to no account", async () => {
  await addWebhook();
  const key = control.keys.operator;
  const url = address.replace("/hook", "/operator");
  const asOperator = (method: string, path: string, body?: unknown) =>
    control.call(method, path, { key, body });
  const added = await asOperator("POST", "/v1/operator/webhooks", { url });
  expect(added.status).toBe(201);
  const host = registrationOf("host-a", [{ role: "producer", mediaClass: "camera" }]);
  const { credential } = (await registerPaper(control, host)).body;
  const heard = { workers: [], egressKbps: 0, ingressKbps: 0, draining: true };
  await control.call("POST", "/v1/agent/heartbeat", { key: credential, body: heard });
  await openRoom(control, 1);
  const told = () => delivered.map(({ path, body }) => `${path} ${body.type}`).sort();
  await waitFor(() => delivered.length === 2, { what: "both" });
  expect(told()).toEqual(["/hook room_started", "/operator node_draining"]);
  const path = `/v1/operator/webhooks/${added.body.id}`;
  expect((await api("DELETE", path)).status).toBe(401);
  expect((await asOperator("DELETE", path)).body).toEqual({ removed: true });
});

test("an endpoint that fails gets everything later, once each and in order", async () => {
  const { id } = await addWebhook();
  let failures = 0;
  answer = () => {
    failures += 1;
    return failures <= 1 ? 500 : 200;
  };
  const roomId = await openRoom(control, 1);
  await enter(control, roomId, "ana");
  await waitFor(() => delivered.length === 3, { what: "the retry and the rest" });
  expect(types()).toEqual(["room_started", "room_started", "participant_joined"]);
  const ids = delivered.map(({ headers }) => headers["webhook-id"]);
  expect(ids[0]).toBe(ids[1]);
  const { body } = await api("GET", `/v1/webhooks/${id}/deliveries`);
  expect(body.failures).toBe(0);
  expect(body.attempts.map((one: { outcome: string }) => one.outcome)).toEqual([
    "200",
    "200",
    "500",
  ]);
});

test("what was not delivered yet is after an outage of the database", async () => {
  await addWebhook();
  const failed = () => control.logs().some((line) => line.includes("courier-failed"));
  let stopped: Promise<void> | undefined;
  answer = () => {
    stopped ??= control.databaseServer.stop();
    return 500;
  };
  const roomId = await openRoom(control, 1);
  try {
    await waitFor(failed, { what: "the courier to miss the database" });
  } finally {
    await stopped;
    await control.databaseServer.resume();
  }
  answer = () => 200;
  const again = () => delivered.filter(({ body }) => body.data.room?.id === roomId);
  await waitFor(() => again().length === 2, { what: "the second attempt" });
  expect(types()).toEqual(["room_started", "room_started"]);
});

test("a redirect is a failure, and is not followed", async () => {
  const { id } = await addWebhook();
  answer = () => 302;
  await openRoom(control, 1);
  const read = () => api("GET", `/v1/webhooks/${id}/deliveries`);
  await waitFor(async () => (await read()).body.failures > 0, { what: "the failure" });
  expect((await read()).body.attempts[0].ok).toBe(false);
  // Whoever follows would have come back for /elsewhere at once.
  expect(delivered.map(({ path }) => path)).toEqual(["/hook"]);
});

test("replay delivers again what came after an event, under the same ids", async () => {
  const { id } = await addWebhook(["participant_joined"]);
  const roomId = await openRoom(control, 1);
  await enter(control, roomId, "ana");
  await enter(control, roomId, "ben");
  await waitFor(() => delivered.length === 2, { what: "both" });
  expect(types()).toEqual(["participant_joined", "participant_joined"]);
  const { body } = await api("GET", `/v1/webhooks/${id}/deliveries`);
  const first = body.attempts.at(-1).eventId;
  await api("POST", `/v1/webhooks/${id}/replay`, { afterEventId: first - 1 });
  await waitFor(() => delivered.length === 4, { what: "both again" });
  const ids = delivered.map(({ headers }) => headers["webhook-id"]);
  expect(ids.slice(2)).toEqual(ids.slice(0, 2));
});

test.each([
  "http://example.com/hook",
  "https://10.1.2.3/hook",
  "https://[fd00::1]/hook",
  "https://169.254.169.254/latest",
  "https://intranet/hook",
  "https://intranet.internal./hook",
  "https://user:secret@example.com/hook",
])("an endpoint at %s is refused, naming the field", async (url) => {
  const { status, body } = await api("POST", "/v1/webhooks", { url });
  expect(status).toBe(422);
  expect(body.errors[0].path).toBe("url");
});
