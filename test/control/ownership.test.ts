import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import {
  bodyOf,
  callAs,
  enter,
  leave,
  type Member,
  openRoom,
  tokenFor,
  tryEnter,
} from "./api.ts";
import { holdings } from "./ledger.ts";
import {
  goLive,
  readyViews,
  rtpParametersOf,
  someDtlsParameters,
  watch,
  watchBody,
} from "./media.ts";
import { startNode, type TestNode } from "./node.ts";

let control: Control;
let node: TestNode;
let ann: Member;
let bob: Member;
let broadcastId: string;
let trackId: string;
let viewId: string;
let transportId: string;

beforeAll(async () => {
  control = await startControl();
  node = await startNode(control, "one", "producer:camera:1,consumer:camera:1");
  const room = await openRoom(control);
  ann = await enter(control, room.id, "ann");
  broadcastId = await goLive(control, ann);
  bob = await enter(control, room.id, "bob");
  trackId = bob.entry.broadcasts[0]?.tracks[0]?.id ?? "";
  const watched = await watch(control, bob);
  viewId = readyViews(watched)[0] ?? "";
  transportId = watched.transports[0]?.id ?? "";
});
afterAll(async () => {
  await node.stop();
  await control.stop();
});

type Attempt = [method: string, path: string, body?: unknown];

/** All that a session may do with what is its own. */
function attempts(owner: Member, broadcast: string, view: string): Attempt[] {
  const { rtpCapabilities, dtlsParameters } = watchBody(owner);
  const track = {
    kind: "video",
    source: "camera",
    rtpParameters: rtpParametersOf("video"),
  };
  return [
    ["POST", `/v1/sessions/${owner.sessionId}/credential`],
    ["POST", `/v1/sessions/${owner.sessionId}/broadcasts`, { media: "camera" }],
    ["POST", `/v1/sessions/${owner.sessionId}/views`, watchBody(owner)],
    ["POST", `/v1/broadcasts/${broadcast}/tracks`, track],
    ["PATCH", `/v1/broadcasts/${broadcast}/tracks/${trackId}`, { paused: true }],
    ["DELETE", `/v1/broadcasts/${broadcast}/tracks/${trackId}`],
    ["GET", `/v1/broadcasts/${broadcast}/stats`],
    ["DELETE", `/v1/broadcasts/${broadcast}/rooms/${owner.roomId}`],
    ["POST", `/v1/views/${view}/tracks`, { rtpCapabilities, dtlsParameters }],
    ["PATCH", `/v1/views/${view}`, { paused: true }],
    ["GET", `/v1/views/${view}/stats`],
  ];
}

async function refusedAs(
  member: Member,
  list: Attempt[],
): Promise<[status: number, code: string][]> {
  const answers = await Promise.all(
    list.map(([method, path, body]) => callAs(control, member, method, path, { body })),
  );
  return answers.map(({ status, body }) => [status, body?.code]);
}

const missing = [404, "not-found"];

test("another session's credential is as good as none: everything is not found", async () => {
  const before = await holdings(control);
  const stranger = await enter(control, ann.roomId, "mallory");
  const absent = "0000";
  const ofAnn = attempts(ann, broadcastId, `view_local_${absent}`);
  const ofBob = attempts(bob, `broadcast_local_${absent}`, viewId);
  for (const list of [ofAnn, ofBob]) {
    const answers = await refusedAs(stranger, list);
    for (const [at, answer] of answers.entries()) {
      expect(answer, String(list[at])).toEqual(missing);
    }
  }
  const deletions: Attempt[] = [
    ["DELETE", `/v1/sessions/${ann.sessionId}`],
    ["DELETE", `/v1/sessions/${bob.sessionId}`],
  ];
  expect(await refusedAs(stranger, deletions)).toEqual([missing, missing]);
  // Stopping what is not one's own, or not there, stops nothing.
  const stop = await callAs(control, stranger, "DELETE", `/v1/broadcasts/${broadcastId}`);
  expect(bodyOf(stop, 200)).toEqual({ stopped: false });
  const release = await callAs(control, stranger, "DELETE", `/v1/views/${viewId}`);
  expect(bodyOf(release, 200)).toEqual({ released: 0 });
  await leave(control, stranger);
  expect(await holdings(control)).toEqual(before);
});

test("another session's transport cannot be touched", async () => {
  const body = { dtlsParameters: someDtlsParameters };
  const list: Attempt[] = [
    ["POST", `/v1/transports/${transportId}/restart-ice`],
    ["POST", `/v1/transports/${transportId}/resume`, { views: [viewId] }],
    ["POST", `/v1/transports/${transportId}/connect`, body],
  ];
  expect(await refusedAs(ann, list)).toEqual([missing, missing, missing]);
  // The owner still can.
  const own = await callAs(control, bob, "POST", list[0]?.[1] ?? "");
  expect(bodyOf(own, 200).iceParameters).toHaveProperty("usernameFragment");
});

test("a transport that is not there is not found, on a node that is or is not", async () => {
  for (const name of ["one", "absent"]) {
    const path = `/v1/transports/transport_local_${name}_0000`;
    const body = { dtlsParameters: someDtlsParameters };
    const list: Attempt[] = [
      ["POST", `${path}/restart-ice`],
      ["POST", `${path}/connect`, body],
    ];
    expect(await refusedAs(ann, list), name).toEqual([missing, missing]);
  }
});

test("the credential of a session that ended opens nothing any more", async () => {
  const carl = await enter(control, ann.roomId, "carl");
  const own = readyViews(await watch(control, carl))[0] ?? "";
  expect(await leave(control, carl)).toBe(true);
  const before = await holdings(control);
  const list = attempts(carl, broadcastId, own);
  const answers = await refusedAs(carl, list);
  for (const [at, answer] of answers.entries()) {
    expect(answer, String(list[at])).toEqual(missing);
  }
  expect(await leave(control, carl)).toBe(false);
  expect(await holdings(control)).toEqual(before);
});

test("a join token opens its own room alone", async () => {
  const other = await openRoom(control);
  const token = await tokenFor(control, other.id, "ann");
  const before = await holdings(control);
  const answer = await tryEnter(control, ann.roomId, token);
  expect([answer.status, answer.body.code]).toEqual(missing);
  expect(await holdings(control)).toEqual(before);
});

describe("an id that names nothing is not found and leaves nothing behind", () => {
  const cases: [who: "api" | "operator" | "session", Attempt][] = [
    ["api", ["GET", "/v1/rooms/{room}"]],
    ["api", ["PATCH", "/v1/rooms/{room}", { name: "x" }]],
    ["api", ["DELETE", "/v1/rooms/{room}"]],
    ["api", ["POST", "/v1/rooms/{room}/tokens", { identity: "x" }]],
    ["api", ["GET", "/v1/rooms/{room}/sessions"]],
    ["api", ["GET", "/v1/rooms/{room}/placement"]],
    ["api", ["GET", "/v1/views/{view}/explain"]],
    ["operator", ["POST", "/v1/nodes/{node}/cordon"]],
    ["operator", ["POST", "/v1/nodes/{node}/uncordon"]],
    ["session", ["POST", "/v1/transports/{transport}/restart-ice"]],
  ];
  const everything = `SELECT (SELECT count(*) FROM zone) + (SELECT count(*) FROM room)
    + (SELECT count(*) FROM node) + (SELECT count(*) FROM event) AS total`;

  test.each(["local", "elsewhere"])("in zone %s", async (zone) => {
    const keys = { ...control.keys, session: ann.key };
    const rows = async () => (await control.database.execute(everything)).rows[0]?.total;
    const before = await rows();
    for (const [who, [method, path, body]] of cases) {
      const filled = path.replace(/\{(\w+)\}/, (_, kind) =>
        kind === "transport" ? `transport_${zone}_absent_0000` : `${kind}_${zone}_0000`,
      );
      const { status, body: answer } = await control.call(method, filled, {
        key: keys[who],
        body,
      });
      expect([status, answer?.code], filled).toEqual(missing);
    }
    expect(await rows()).toBe(before);
  });

  test("of a zone that is none: no channel opens there either", async () => {
    const path = "/v1/rooms/room_elsewhere_0000/channels/room_elsewhere_0000";
    const socket = new WebSocket(new URL(path, control.url));
    let outcome: string | undefined;
    socket.addEventListener("open", () => {
      outcome = "open";
    });
    socket.addEventListener("close", () => {
      outcome ??= "refused";
    });
    await waitFor(() => outcome, { what: "the socket's fate" });
    expect(outcome).toBe("refused");
  });
});
