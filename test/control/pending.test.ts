import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
} from "vitest";
import type { Watched } from "#schema/api/media.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { bodyOf, callAs, enter, type Member, openRoom } from "./api.ts";
import { ChannelClient } from "./channel-client.ts";
import { holdings, nothing } from "./ledger.ts";
import { goLive, readyViews, watch, watchBody } from "./media.ts";
import { startNode, type TestNode } from "./node.ts";

/* Two broadcasts and two consumer hosts of one point: a viewer is on both. */
let control: Control;
let nodes: TestNode[];
let roomId: string;
let viewer: Member;
let channel: ChannelClient;

beforeAll(async () => {
  const timing = { pipeLingerMs: 50, sessionAttachMs: 600_000, viewClaimMs: 600_000 };
  control = await startControl({ settings: { timing } });
  nodes = await Promise.all([
    startNode(control, "ingest", "producer:camera:1"),
    startNode(control, "quick", "consumer:camera:1:1"),
    startNode(control, "slow", "consumer:camera:1:1"),
  ]);
});
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  await control.stop();
});

beforeEach(async () => {
  roomId = (await openRoom(control)).id;
  for (const identity of ["ann", "bob"]) {
    await goLive(control, await enter(control, roomId, identity));
  }
  viewer = await enter(control, roomId, "cara");
  channel = await ChannelClient.open(control, viewer).welcomed();
});
afterEach(async () => {
  const { api: key } = control.keys;
  bodyOf(await control.call("DELETE", `/v1/rooms/${roomId}`, { key }), 200);
  await expect.poll(() => holdings(control)).toEqual(nothing);
});

/** Makes the slow host hold its `watch` calls back until it is let go. */
function holdBack(): (answer: "as-asked" | "fail") => void {
  const handlers = nodes[2]?.agent.registration?.media.handlers;
  if (!handlers) throw new Error("The slow host is not registered.");
  const { watch: asked } = handlers;
  const { promise, resolve } = Promise.withResolvers<"as-asked" | "fail">();
  handlers.watch = async (call) => {
    const answer = await promise;
    if (answer === "fail") throw new Error("The host had an ill moment.");
    return asked(call);
  };
  onTestFinished(() => {
    handlers.watch = asked;
  });
  return resolve;
}

function statuses({ views }: Watched): string[] {
  return views.map(({ status }) => status).sort();
}

test("what one host is slow with is pending, follows on the channel, and holds up nothing", async () => {
  const letGo = holdBack();
  const watched = await watch(control, viewer);
  expect(statuses(watched)).toEqual(["pending", "ready"]);
  expect(watched.transports).toHaveLength(1);
  expect((await holdings(control)).views).toBe(2);

  letGo("as-asked");
  const { watched: brought } = await channel.message("views.brought");
  const pending = watched.views.flatMap((view) =>
    view.status === "pending" ? [view.id] : [],
  );
  expect(readyViews(brought)).toEqual(pending);
  expect(brought.transports).toHaveLength(1);
  // Asking again, as one who missed it does, brings the same.
  const again = await watch(control, viewer);
  expect(again.views).toContainEqual(brought.views[0]);
});

test("what is pending and fails is told on the channel and gives its seat back", async () => {
  const letGo = holdBack();
  const watched = await watch(control, viewer);
  expect(statuses(watched)).toEqual(["pending", "ready"]);
  letGo("fail");
  const { watched: brought } = await channel.message("views.brought");
  expect(brought.views).toMatchObject([{ status: "refused", code: "media-failed" }]);
  expect((await holdings(control)).views).toBe(1);
});

test("an answer for views tells how long its commit and its calls took", async () => {
  const path = `/v1/sessions/${viewer.sessionId}/views`;
  const body = watchBody(viewer);
  const partsOf = async () => {
    const answer = await callAs(control, viewer, "POST", path, { body });
    expect(readyViews(bodyOf(answer, 200))).toHaveLength(2);
    return answer.headers.get("server-timing")?.replaceAll(/;dur=\d+\.\d/g, "");
  };
  expect(await partsOf()).toBe("claim, legs, watch");
});
