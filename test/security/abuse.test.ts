import { get } from "node:http";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { enter, openRoom, tokenFor, tryEnter } from "#test/control/api.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { RawClient, type RawRequest } from "./raw-http.ts";

const few = { burst: 20, perSecond: 1 };

let control: Control;

beforeAll(async () => {
  const limits = {
    address: few,
    open: few,
    entry: few,
    register: few,
    payments: few,
  };
  // Whoever is served calls from another address, with the same limits.
  control = await startControl({
    settings: { limits, chat: { strangersPerAddress: 5 } },
  });
});
afterAll(() => control.stop());

test("who floods is told to wait, and others enter meanwhile", async () => {
  const room = await openRoom(control);
  const ann = await enter(control, room.id, "ann");
  const token = await tokenFor(control, room.id, "bob");
  const flooder = new RawClient(control.url, 16, "127.0.0.66");
  const json = { "content-type": "application/json" };
  const bearer = (key: string) => ({ ...json, authorization: `Bearer ${key}` });
  const floods: Record<string, RawRequest> = {
    join: {
      method: "POST",
      path: `/v1/rooms/${room.id}/sessions`,
      headers: bearer(`${token}x`),
      body: "{}",
    },
    whip: {
      method: "POST",
      path: `/v1/rooms/${room.id}/whip`,
      headers: { authorization: "Bearer a.b.c", "content-type": "application/sdp" },
      body: "v=0\r\n",
    },
    registration: {
      method: "POST",
      path: "/v1/agent/challenge",
      headers: bearer("nk_made-up"),
      body: '{"name":"a"}',
    },
    webhook: {
      method: "POST",
      path: "/v1/payments/stripe",
      headers: { ...json, "stripe-signature": "t=1,v1=00" },
      body: "{}",
    },
    "open calls": { method: "GET", path: "/v1/plan?tier=1", headers: {} },
    credential: {
      method: "POST",
      path: `/v1/sessions/${ann.sessionId}/credential`,
      headers: bearer("made.up.credential"),
    },
  };
  const refused: Record<string, number> = {};
  const flooding = Object.entries(floods).map(async ([what, request]) => {
    const answers = await Promise.all(
      Array.from({ length: 120 }, () => flooder.send(request)),
    );
    refused[what] = answers.filter(({ status }) => status === 429).length;
  });
  const served = await tryEnter(control, room.id, token);
  await Promise.all(flooding);
  flooder.close();
  expect(served.status).toBe(201);
  for (const [what, count] of Object.entries(refused)) {
    expect(count, `${what} refused`).toBeGreaterThan(60);
  }
});

test("of one address only so many sockets are open that have not said hello", async () => {
  const { id } = await openRoom(control);
  const open = (localAddress: string) => openSocket(id, localAddress);
  const silent = [];
  for (let at = 0; at < 5; at += 1) silent.push(await open("127.0.0.67"));
  expect(silent.map(({ status }) => status)).toEqual([101, 101, 101, 101, 101]);
  const refused = await open("127.0.0.67");
  expect([refused.status, refused.retryAfter]).toEqual([429, "5"]);
  const other = await open("127.0.0.68");
  expect(other.status).toBe(101);
  // Whoever goes makes room; those who stay silent are sent away soon.
  silent[0]?.close();
  const again = () => open("127.0.0.67").then(({ status }) => status === 101);
  await waitFor(again, { what: "room for another", intervalMs: 500 });
});

/** Opens a socket from an address and says nothing. */
function openSocket(roomId: string, localAddress: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status?: number;
    retryAfter?: string;
    close(): void;
  }>();
  const url = new URL(`/v1/rooms/${roomId}/channels/${roomId}`, control.url);
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const request = get(url, { headers, localAddress });
  request.on("upgrade", ({ statusCode: status }, socket) => {
    const close = () => void socket.destroy();
    onTestFinished(close);
    resolve({ status, close });
  });
  request.on("response", (response) => {
    response.resume();
    const retryAfter = response.headers["retry-after"];
    resolve({ status: response.statusCode, retryAfter, close() {} });
  });
  request.on("error", reject);
  return promise;
}
