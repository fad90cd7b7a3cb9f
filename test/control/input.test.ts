import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Control, startControl } from "#test/harness/control.ts";
import { bodyOf, callAs, enter, type Member, openRoom, tokenFor } from "./api.ts";
import { count } from "./ledger.ts";
import { claimBroadcast, someDtlsParameters, watchBody } from "./media.ts";
import { registrationOf, times } from "./node.ts";

let control: Control;
let ann: Member;
let key: string;

beforeAll(async () => {
  control = await startControl({ lobby: "open" });
  key = control.keys.api;
  const room = await openRoom(control);
  ann = await enter(control, room.id, "ann");
});
afterAll(() => control.stop());

describe("input that does not fit is refused and the answer names the field", () => {
  const consumer = { role: "consumer" as const, mediaClass: "camera" as const };
  const good = registrationOf("paper", times(1, consumer));
  const broadcast = "/v1/broadcasts/broadcast_local_0000";
  const view = "/v1/views/view_local_0000";
  const transport = "/v1/transports/transport_local_a_0000";
  const rtpCapabilities = {};
  const dtlsParameters = someDtlsParameters;
  const video = { kind: "video", source: "camera", rtpParameters: { codecs: [] } };
  const cases: [
    who: string,
    method: string,
    path: string,
    body: unknown,
    field: string,
  ][] = [
    ["api", "POST", "/v1/rooms", { name: "no tier" }, "tier"],
    ["api", "POST", "/v1/rooms", { tier: "1" }, "tier"],
    ["api", "POST", "/v1/rooms", { tier: 1.5 }, "tier"],
    ["api", "POST", "/v1/rooms", { tier: 7 }, "tier"],
    ["api", "POST", "/v1/rooms", { tier: 1, name: "" }, "name"],
    ["api", "POST", "/v1/rooms", { tier: 1, zone: "elsewhere" }, "zone"],
    ["api", "POST", "/v1/rooms", { tier: 1, zone: "No Zone" }, "zone"],
    ["api", "POST", "/v1/rooms", { tier: 1, reserve: "yes" }, "reserve"],
    ["api", "GET", "/v1/rooms?limit=0", undefined, "limit"],
    ["api", "GET", "/v1/rooms?limit=many", undefined, "limit"],
    ["api", "GET", "/v1/rooms/kitchen", undefined, "room"],
    ["api", "PATCH", "/v1/rooms/{room}", { tier: 64 }, "tier"],
    ["api", "PATCH", "/v1/rooms/{room}", { tier: 7 }, "tier"],
    ["api", "PATCH", "/v1/rooms/{room}", { reserve: 1 }, "reserve"],
    ["api", "POST", "/v1/rooms/{room}/tokens", {}, "identity"],
    ["api", "POST", "/v1/rooms/{room}/tokens", { identity: "x".repeat(65) }, "identity"],
    [
      "api",
      "POST",
      "/v1/rooms/{room}/tokens",
      { identity: "x", ttlSeconds: 5 },
      "ttlSeconds",
    ],
    ["api", "GET", "/v1/views/sofa/explain", undefined, "view"],
    ["session", "POST", "/v1/sessions/{session}/broadcasts", { media: "radio" }, "media"],
    [
      "session",
      "POST",
      "/v1/sessions/{session}/views",
      { broadcasts: [], rtpCapabilities, dtlsParameters },
      "broadcasts",
    ],
    [
      "session",
      "POST",
      "/v1/sessions/{session}/views",
      { broadcasts: "all", rtpCapabilities },
      "dtlsParameters",
    ],
    [
      "session",
      "POST",
      "/v1/sessions/{session}/views",
      { broadcasts: "all", rtpCapabilities, dtlsParameters: { fingerprints: [] } },
      "dtlsParameters.fingerprints",
    ],
    ["session", "POST", `${broadcast}/tracks`, video, "rtpParameters.codecs"],
    ["session", "PATCH", `${broadcast}/tracks/track_local_0000`, {}, "paused"],
    ["session", "POST", `${broadcast}/rooms`, {}, "token"],
    ["session", "PATCH", view, { priority: 0 }, "priority"],
    [
      "session",
      "PATCH",
      view,
      { preferredLayers: { spatialLayer: -1 } },
      "preferredLayers.spatialLayer",
    ],
    ["session", "POST", `${view}/tracks`, {}, "rtpCapabilities"],
    ["session", "POST", `${transport}/connect`, {}, "dtlsParameters"],
    ["session", "POST", `${transport}/resume`, { views: ["sofa"] }, "views.0"],
    ["node", "POST", "/v1/agent/register", { ...good, name: "No Name" }, "name"],
    ["node", "POST", "/v1/agent/register", { ...good, workers: [] }, "workers"],
    ["node", "POST", "/v1/agent/register", { ...good, egressKbps: -1 }, "egressKbps"],
    ["operator", "POST", "/v1/nodes/rack/cordon", undefined, "node"],
    ["operator", "GET", "/v1/nodes/node_local_a/events?after=-1", undefined, "after"],
    ["none", "GET", "/v1/plan?mix=five", undefined, "mix"],
    ["none", "GET", "/v1/plan?mix=9:1", undefined, "mix"],
    ["none", "GET", "/v1/plan?tier=1&rooms=0", undefined, "rooms"],
    ["none", "POST", "/v1/lobby/rooms", { tier: -1 }, "tier"],
    ["none", "POST", "/v1/lobby/rooms/{room}/tokens", { identity: "" }, "identity"],
  ];

  test.each(cases)("%s %s %s %j: %s", async (who, method, path, body, field) => {
    const { api, operator, node } = control.keys;
    const keys: Record<string, string> = { api, operator, node, session: ann.key };
    const filled = path.replace("{room}", ann.roomId).replace("{session}", ann.sessionId);
    const before = await count(control, "SELECT count(*) FROM room");
    const answer = await control.call(method, filled, { key: keys[who], body });
    expect(answer.status).toBe(422);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.body).toMatchObject({
      code: "validation-failed",
      type: "/docs/problems#validation-failed",
      status: 422,
    });
    const paths = answer.body.errors?.map((error: { path: string }) => error.path);
    expect(paths, JSON.stringify(answer.body)).toContain(field);
    expect(await count(control, "SELECT count(*) FROM room")).toBe(before);
  });
});

test("a body that is no JSON is refused as such", async () => {
  const answer = await fetch(new URL("/v1/rooms", control.url), {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: "{ tier: ",
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: "bad-request" });
});

test("a body of another type is refused", async () => {
  const answer = await fetch(new URL("/v1/rooms", control.url), {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "text/plain" },
    body: "tier=1",
  });
  expect(answer.status).toBe(415);
  expect(await answer.json()).toMatchObject({ code: "unsupported-media-type" });
});

test("a body over 128 KiB is refused before it is read", async () => {
  const body = { tier: 1, name: "x".repeat(128 * 1024) };
  const answer = await control.call("POST", "/v1/rooms", { key, body });
  expect([answer.status, answer.body.code]).toEqual([413, "body-too-large"]);
});

test("a path that is not there answers a problem, not a page", async () => {
  const answer = await control.call("GET", "/v1/kitchens", { key });
  expect(answer.status).toBe(404);
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.body.code).toBe("not-found");
});

test("nothing of a request's secrets reaches the log", async () => {
  const token = await tokenFor(control, ann.roomId, "quiet");
  await control.call("GET", "/v1/rooms", { key: `${key}x` });
  await callAs(control, ann, "POST", `/v1/sessions/${ann.sessionId}/views`, {
    body: watchBody(ann),
  });
  await claimBroadcast(control, ann);
  bodyOf(await control.call("GET", "/livez"), 200);
  const logged = control.logs().join("\n");
  for (const secret of [token, ann.key, key, control.keys.node, control.keys.secret]) {
    expect(logged).not.toContain(secret);
  }
});
