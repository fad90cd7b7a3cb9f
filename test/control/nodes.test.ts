import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Fleet, NodeInfo } from "#schema/api/fleet.ts";
import { type RunningAgent, startAgent } from "#test/harness/agent.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { bodyOf, callAs, enter, enterMany, leave, type Member, openRoom } from "./api.ts";
import { ChannelClient } from "./channel-client.ts";
import { holdings } from "./ledger.ts";
import { goLive, readyViews, refusedCodes, watch } from "./media.ts";
import {
  registerPaper,
  registrationOf,
  startNode,
  type TestNode,
  times,
} from "./node.ts";

let control: Control;
/** Takes the broadcasts; it stays while others come and go. */
let producer: TestNode;

beforeAll(async () => {
  const timing = {
    heartbeatMs: 200,
    // Long beside the heartbeat: a busy machine must not look like a lost host.
    nodeSuspectMs: 2500,
    nodeLeaseMs: 7000,
    pollHoldMs: 1000,
    pipeLingerMs: 50,
    sessionAttachMs: 600_000,
    viewClaimMs: 600_000,
  };
  const sources = { overBitrateFactor: 2.5 };
  control = await startControl({ settings: { timing, sources } });
  producer = await startNode(control, "producer", "producer:camera:4");
});
afterAll(async () => {
  await producer.stop();
  await control.stop();
});

async function fleet(): Promise<Fleet> {
  const key = control.keys.operator;
  return bodyOf(await control.call("GET", "/v1/nodes", { key }), 200);
}

async function nodeCalled(name: string): Promise<NodeInfo | undefined> {
  const { nodes } = await fleet();
  return nodes.find(({ id }) => id === `node_${control.zone}_${name}`);
}

async function becomes(name: string, state: NodeInfo["state"]): Promise<void> {
  const there = async () => (await nodeCalled(name))?.state === state;
  await waitFor(there, { what: `${name} to be ${state}`, timeoutMs: 20_000 });
}

/** A broadcast in a room of its own. */
async function broadcasting(): Promise<Member> {
  await becomes("producer", "ready");
  const room = await openRoom(control);
  const broadcaster = await enter(control, room.id, "ann");
  await goLive(control, broadcaster);
  return broadcaster;
}

describe("a registration", () => {
  const paper = registrationOf(
    "paper",
    times(1, { role: "consumer", mediaClass: "camera" }),
  );
  const agentCalls: [path: string, body: unknown][] = [
    ["heartbeat", { workers: [], egressKbps: 0, ingressKbps: 0, draining: false }],
    ["report", { ackSeq: 0, answers: [], events: [] }],
    ["poll", { ackSeq: 0 }],
  ];

  test("under an unknown node key is refused and leaves nothing", async () => {
    const before = (await fleet()).nodes.length;
    for (const key of ["nk_unknown-unknown-unknown", control.keys.operator]) {
      const answer = await registerPaper(control, paper, { key });
      expect(answer.status).toBe(401);
    }
    expect((await fleet()).nodes).toHaveLength(before);
  });

  test("with other codecs than the zone's is refused", async () => {
    const answer = await registerPaper(control, { ...paper, codecsHash: "f".repeat(64) });
    expect([answer.status, answer.body.code]).toEqual([409, "codec-mismatch"]);
    expect(await nodeCalled("paper")).toBeUndefined();
  });

  test("brings the zone's settings to the agent", async () => {
    const told = bodyOf(await registerPaper(control, paper), 200);
    const settings = { heartbeatMs: 200, pollHoldMs: 1000, overBitrateFactor: 2.5 };
    expect(told).toMatchObject(settings);
  });

  test("fences the one before it: its credential opens nothing any more", async () => {
    const first = bodyOf(await registerPaper(control, paper), 200);
    const second = bodyOf(await registerPaper(control, paper), 200);
    expect(second).toMatchObject({ nodeId: first.nodeId, epoch: first.epoch + 1 });
    for (const [path, body] of agentCalls) {
      const url = `/v1/agent/${path}`;
      const old = await control.call("POST", url, { key: first.credential, body });
      expect([old.status, old.body?.code], path).toEqual([409, "node-fenced"]);
      const now = await control.call("POST", url, { key: second.credential, body });
      expect([200, 204], path).toContain(now.status);
    }
    // Nobody speaks for it any more.
    await becomes("paper", "gone");
    for (const [path, body] of agentCalls) {
      const late = await control.call("POST", `/v1/agent/${path}`, {
        key: second.credential,
        body,
      });
      expect([late.status, late.body?.code], path).toEqual([409, "node-fenced"]);
    }
  });
});

describe("a node with viewers", () => {
  let agent: RunningAgent;
  /** Each test has a host of its own, so that none waits for another's lease. */
  let name: string;
  let serial = 0;
  let broadcaster: Member;
  let viewer: Member;
  let viewId: string;

  beforeEach(async ({ onTestFinished }) => {
    serial += 1;
    name = `edge-${serial}`;
    agent = await startAgent({ control, name, workers: "consumer:camera:1" });
    broadcaster = await broadcasting();
    viewer = await enter(control, broadcaster.roomId, "bob");
    viewId = readyViews(await watch(control, viewer))[0] ?? "";
    expect(viewId).not.toBe("");
    onTestFinished(async () => {
      await leave(control, viewer);
      await leave(control, broadcaster);
      agent.signal("SIGCONT");
      await agent.stop();
      // It has said goodbye: from then on nothing is placed on it.
      const left = async () => (await nodeCalled(name))?.state === "gone";
      await waitFor(left, { what: `${name} to be gone` });
    });
  });

  test("that vanishes is suspect, then gone, and only then its points return", async () => {
    const channel = await ChannelClient.open(control, viewer).welcomed();
    await agent.kill();
    await becomes(name, "suspect");
    expect(await holdings(control)).toMatchObject({ views: 1, points: 1 });
    const late = await enter(control, broadcaster.roomId, "late");
    expect(refusedCodes(await watch(control, late))).toEqual(["no-consumer-capacity"]);
    await becomes(name, "gone");
    expect(await holdings(control)).toMatchObject({
      views: 0,
      points: 0,
      slots: 0,
      legs: 0,
    });
    await waitFor(() => channel.ownEvents.length > 0, { what: "the viewer to be told" });
    expect(channel.ownEvents.map(({ event }) => event)).toMatchObject([
      { type: "view.lost", viewId },
    ]);
    // It comes back under a new epoch, and the viewer watches again.
    const again = await startAgent({
      control,
      name,
      workers: "consumer:camera:1",
    });
    await becomes(name, "ready");
    expect(readyViews(await watch(control, viewer))).toHaveLength(1);
    await again.stop();
  });

  test("that hangs for less than its lease keeps its views", async () => {
    agent.signal("SIGSTOP");
    await becomes(name, "suspect");
    agent.signal("SIGCONT");
    await becomes(name, "ready");
    expect(await holdings(control)).toMatchObject({ views: 1, points: 1 });
    const stats = await callAs(control, viewer, "GET", `/v1/views/${viewId}/stats`);
    expect(bodyOf(stats, 200).stats.length).toBeGreaterThan(0);
  });

  test("that is cordoned keeps its views and gets no new ones until it is not", async () => {
    const key = control.keys.operator;
    const path = `/v1/nodes/node_${control.zone}_${name}`;
    const others = await enterMany(control, broadcaster.roomId, 2);
    bodyOf(await control.call("POST", `${path}/cordon`, { key }), 200);
    const node = await nodeCalled(name);
    expect(node).toMatchObject({ cordoned: true, state: "ready" });
    expect(Date.now() - Date.parse(node?.heardAt ?? "")).toBeLessThan(60_000);
    const refused = await watch(control, others[0] as Member);
    expect(refusedCodes(refused)).toEqual(["no-consumer-capacity"]);
    const stats = await callAs(control, viewer, "GET", `/v1/views/${viewId}/stats`);
    expect(stats.status).toBe(200);
    bodyOf(await control.call("POST", `${path}/uncordon`, { key }), 200);
    expect(readyViews(await watch(control, others[0] as Member))).toHaveLength(1);
    expect(readyViews(await watch(control, others[1] as Member))).toHaveLength(1);
    await Promise.all(others.map((member) => leave(control, member)));
  });
});

test("a node's bandwidth is never overshot, and 80 % of it is told once", async () => {
  // A camera view is 880 kbit/s: five fit, and the fourth reaches 80 %.
  const budget = { WEIR_EGRESS_KBPS: "4400" };
  const node = await startNode(control, "thin", "consumer:camera:1", {}, budget);
  const broadcaster = await broadcasting();
  const viewers = await enterMany(control, broadcaster.roomId, 10);
  const key = control.keys.operator;
  const events = async (after = 0) => {
    const path = `/v1/nodes/${node.id}/events?after=${after}`;
    return bodyOf(await control.call("GET", path, { key }), 200).events;
  };
  const three = viewers.slice(0, 3);
  for (const viewer of three) await watch(control, viewer);
  expect(await events()).toEqual([]);
  const rest = viewers.slice(3).map((viewer) => watch(control, viewer));
  const answers = await Promise.all(rest);
  expect(answers.flatMap(readyViews)).toHaveLength(2);
  expect(new Set(answers.flatMap(refusedCodes))).toEqual(new Set(["egress-exhausted"]));
  expect((await nodeCalled("thin"))?.egressKbps).toEqual({ total: 4400, used: 4400 });
  const told = await events();
  expect(told).toMatchObject([
    {
      seq: 1,
      event: { type: "egress.warning", nodeId: node.id, share: expect.any(Number) },
    },
  ]);
  expect(told[0].event.share).toBeGreaterThanOrEqual(0.8);
  expect(await events(told[0].seq)).toEqual([]);
  await Promise.all(viewers.map((viewer) => leave(control, viewer)));
  expect((await nodeCalled("thin"))?.egressKbps.used).toBe(0);
  // It rises again after all was calm: that is told again.
  const again = await enterMany(control, broadcaster.roomId, 5);
  for (const viewer of again) await watch(control, viewer);
  expect((await events()).map(({ seq }: { seq: number }) => seq)).toEqual([1, 2]);
  await node.stop();
});
