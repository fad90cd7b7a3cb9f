import { afterEach, beforeEach, expect, test } from "vitest";
import { stateOf } from "#agent/state.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { connectPair, openLegs, TestBroadcast, TestViewer } from "./participants.ts";
import { countsOf, Rig } from "./rig.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await new Rig().start();
});
afterEach(async () => {
  await rig.close();
});

test("a new generation opens beside the old one, whose end leaves it untouched", async () => {
  const { agent, node } = await rig.agent("one", "producer:camera:1,consumer:camera:1");
  const broadcast = new TestBroadcast(node, 0, await rig.peer());
  await broadcast.start();
  const viewer = new TestViewer(node, 1, await rig.peer());
  await connectPair(broadcast, viewer);
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  await viewer.moreOf("video");
  const old = viewer.consumers.map((one) => one.id);

  const { broadcastId, worker: producer } = broadcast;
  const consumer = viewer.worker;
  const pipe = { kind: "pipe" as const, broadcastId, producer, consumer };
  await node.apply({ ...pipe, generation: 2, wanted: "open" });
  await viewer.watch(broadcast, 2, await openLegs(broadcast, consumer, 2));
  expect(viewer.consumers).toHaveLength(2);
  expect(viewer.consumers.filter((one) => old.includes(one.id))).toEqual([]);
  expect(await countsOf(agent, 1)).toMatchObject({ producers: 4, consumers: 4 });

  const { viewId, scope } = viewer;
  await node.ask({ op: "resume-views", ...scope, viewIds: [viewId] });
  await viewer.moreOf("video");
  await node.apply({ ...pipe, generation: 1, wanted: "closed" });
  expect(await countsOf(agent, 0)).toMatchObject({ consumers: 2 });
  expect(await countsOf(agent, 1)).toMatchObject({ producers: 2, consumers: 2 });
  await viewer.moreOf("video");
});

test("a view that comes on another transport leaves the old one", async () => {
  const { agent, node } = await rig.agent("one", "producer:camera:1,consumer:camera:1");
  const broadcast = new TestBroadcast(node, 0, await rig.peer());
  await broadcast.start();
  const viewer = new TestViewer(node, 1, await rig.peer());
  await connectPair(broadcast, viewer);
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  await viewer.moreOf("video");

  const elsewhere = new TestViewer(node, 1, await rig.peer());
  const { scope, viewId } = viewer;
  Object.assign(elsewhere, { scope, viewId });
  await elsewhere.watch(broadcast, 1);
  await elsewhere.moreOf("video");
  const { transportId } = elsewhere;
  expect((await stateOf(agent)).views).toMatchObject([{ viewId, transportId }]);
  expect(await countsOf(agent, 1)).toMatchObject({ consumers: 2 });
});

for (const [where, ordinal] of [
  ["the same worker", 0],
  ["another worker", 2],
] as const) {
  test(`a broadcast that moves to ${where} is sent twice until its old transport is closed, unreported`, async () => {
    const workers = "producer:camera:1,consumer:camera:1,producer:camera:1";
    const { agent, node } = await rig.agent("one", workers);
    const broadcast = new TestBroadcast(node, 0, await rig.peer());
    await broadcast.start();
    const viewer = new TestViewer(node, 1, await rig.peer());
    await connectPair(broadcast, viewer);
    await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
    await viewer.moreOf("video");

    const moved = await resend(broadcast, ordinal);
    await connectPair(moved, viewer);
    await viewer.moreOf("video");
    const { broadcastId } = broadcast;
    const transports = async () =>
      (await stateOf(agent)).broadcasts.map(({ transportId }) => transportId);
    expect(await transports()).toEqual([broadcast.transportId, moved.transportId]);

    const old = viewer.consumers.map((one) => one.id);
    await viewer.watch(moved, 2, await openLegs(moved, viewer.worker, 2));
    expect(viewer.consumers.filter((one) => old.includes(one.id))).toEqual([]);
    const { viewId, scope } = viewer;
    await node.ask({ op: "resume-views", ...scope, viewIds: [viewId] });
    await viewer.moreOf("video");

    const { transportId } = broadcast;
    const { sessionId } = broadcast.scope;
    const consumer = viewer.worker;
    await node.apply(
      { kind: "close-transport", transportId, sessionId },
      {
        ...{ kind: "pipe", broadcastId, producer: broadcast.worker, consumer },
        ...{ generation: 1, wanted: "closed" },
      },
    );
    await Promise.all([viewer.moreOf("video"), viewer.moreOf("audio")]);
    expect(await transports()).toEqual([moved.transportId]);
    expect(await countsOf(agent, 1)).toMatchObject({ producers: 2, consumers: 2 });
    expect(node.eventsOf("transport-lost")).toEqual([]);
  });
}

test("the loss of a transport that a broadcast has left already is not reported", async () => {
  const { agent, node } = await rig.agent("one", "producer:camera:1");
  const broadcast = new TestBroadcast(node, 0, await rig.peer());
  await broadcast.start();
  const moved = await resend(broadcast, 0);
  await broadcast.peer.leave();
  const left = async () => (await stateOf(agent)).broadcasts.length === 1;
  await waitFor(left, { what: "the old transport to close" });
  await moved.peer.leave();
  const event = await node.nextEvent("transport-lost");
  expect(event.transportId).toBe(moved.transportId);
  expect(node.eventsOf("transport-lost")).toHaveLength(1);
});

test("a transport whose closing came before its opening is not opened, and no one else's is closed", async () => {
  const { agent, node } = await rig.agent("one", "producer:camera:1");
  const early = new TestBroadcast(node, 0, await rig.peer());
  const { transportId } = early;
  const { sessionId } = early.scope;
  await node.apply({ kind: "close-transport", transportId, sessionId });
  await expect(early.start()).rejects.toThrow("gone");
  const other = new TestBroadcast(node, 0, await rig.peer());
  await other.start();
  const strange = { kind: "close-transport", transportId: other.transportId } as const;
  await node.apply({ ...strange, sessionId });
  expect(await countsOf(agent, 0)).toMatchObject({ transports: 1, producers: 2 });
});

test("an ICE restart gives fresh parameters while media goes on", async () => {
  const { node } = await rig.agent("one", "producer:camera:1,consumer:camera:1");
  const broadcast = new TestBroadcast(node, 0, await rig.peer());
  await broadcast.start();
  const viewer = new TestViewer(node, 1, await rig.peer());
  await connectPair(broadcast, viewer);
  const opened = await openLegs(broadcast, viewer.worker, 1);
  const { transport } = await viewer.watch(broadcast, 1, opened);
  const { scope, transportId } = viewer;
  const fresh = await node.ask({ op: "restart-ice", ...scope, transportId });
  const before = transport.iceParameters.usernameFragment;
  expect(fresh.iceParameters.usernameFragment).not.toBe(before);
  await viewer.moreOf("video");
});

test("a pair to a life that is over closes once its successor is in use", async () => {
  const { agent, node } = await rig.agent("one", "producer:camera:1,consumer:camera:1", {
    idlePairMs: 100,
  });
  const broadcast = new TestBroadcast(node, 0, await rig.peer());
  await broadcast.start();
  const viewer = new TestViewer(node, 1, await rig.peer());
  const dead = { ...viewer.worker, incarnation: "of-a-former-life" };
  await node.ask({ op: "open-pairs", worker: broadcast.worker, peers: [dead] });
  await connectPair(broadcast, viewer);
  expect(await countsOf(agent, 0)).toMatchObject({ pipeTransports: 2 });
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  const closed = async () => (await countsOf(agent, 0)).pipeTransports === 1;
  await waitFor(closed, { what: "the dead pair to close" });
  await viewer.moreOf("video");
});

/** The same broadcast, sent once more through a transport on a worker of its node. */
async function resend(broadcast: TestBroadcast, ordinal: number): Promise<TestBroadcast> {
  const again = new TestBroadcast(broadcast.node, ordinal, await rig.peer());
  const { broadcastId, scope, number } = broadcast;
  Object.assign(again, { broadcastId, scope, number });
  return again.start();
}
