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

/** A broadcast on agent "one" and the agent "two" that will show it. */
async function broadcastToTwo(consumers = 1) {
  const one = await rig.agent("one", "producer:camera:1");
  const two = await rig.agent("two", `consumer:camera:${consumers}`);
  const broadcast = new TestBroadcast(one.node, 0, await rig.peer());
  return { one, two, broadcast };
}

async function viewerOn(two: Awaited<ReturnType<Rig["agent"]>>, ordinal = 0) {
  return new TestViewer(two.node, ordinal, await rig.peer());
}

function pipeOf(broadcast: TestBroadcast, viewer: TestViewer, generation: number) {
  const { broadcastId, worker: producer } = broadcast;
  const { worker: consumer } = viewer;
  return { kind: "pipe" as const, broadcastId, producer, consumer, generation };
}

test("media sent to one agent reaches a viewer on another through an SRTP pipe", async () => {
  const { two, broadcast } = await broadcastToTwo();
  await broadcast.start();
  const viewer = await viewerOn(two);
  await connectPair(broadcast, viewer);
  const opened = await openLegs(broadcast, viewer.worker, 1);
  const [pair] = opened.pairs;
  expect(pair?.remote.srtpParameters).toMatchObject({
    cryptoSuite: expect.stringMatching(/^A/),
  });
  await viewer.watch(broadcast, 1, opened);
  await Promise.all([viewer.moreOf("video", 20), viewer.moreOf("audio", 20)]);
});

test("a pipe between two workers of one agent carries media just the same", async () => {
  const both = await rig.agent("one", "producer:camera:1,consumer:camera:1");
  const broadcast = new TestBroadcast(both.node, 0, await rig.peer());
  await broadcast.start();
  const viewer = await viewerOn(both, 1);
  await connectPair(broadcast, viewer);
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  await viewer.moreOf("video");
  expect(await countsOf(both.agent, 0)).toMatchObject({ pipeTransports: 1 });
  expect(await countsOf(both.agent, 1)).toMatchObject({ pipeTransports: 1 });
});

test("a second viewer makes no second leg", async () => {
  const { one, two, broadcast } = await broadcastToTwo();
  await broadcast.start();
  const first = await viewerOn(two);
  await connectPair(broadcast, first);
  await first.watch(broadcast, 1, await openLegs(broadcast, first.worker, 1));
  const legs = await countsOf(one.agent, 0);

  const second = await viewerOn(two);
  await second.watch(broadcast, 1);
  await second.moreOf("video");
  const third = await viewerOn(two);
  await third.watch(broadcast, 1, await openLegs(broadcast, third.worker, 1));
  await third.moreOf("video");

  expect(await countsOf(one.agent, 0)).toEqual(legs);
  expect(await countsOf(two.agent, 0)).toMatchObject({
    pipeTransports: 1,
    producers: 2,
    consumers: 6,
  });
});

test("many calls for one pair and pipe at once make one of each", async () => {
  const { one, two, broadcast } = await broadcastToTwo();
  await broadcast.start();
  const viewer = await viewerOn(two);
  const pairs = await Promise.all(
    Array.from({ length: 5 }, () => {
      const peers = [broadcast.worker];
      return two.node.ask({ op: "open-pairs", worker: viewer.worker, peers });
    }),
  );
  expect(new Set(pairs.map(({ endpoints }) => endpoints[0]?.port)).size).toBe(1);
  await connectPair(broadcast, viewer);
  const opened = await Promise.all(
    Array.from({ length: 5 }, () => openLegs(broadcast, viewer.worker, 1)),
  );
  const viewers = await Promise.all(opened.map(() => viewerOn(two)));
  await Promise.all(viewers.map((one, i) => one.watch(broadcast, 1, opened[i])));
  await Promise.all(viewers.map((one) => one.moreOf("audio")));
  expect(await countsOf(one.agent, 0)).toMatchObject({ pipeTransports: 1, consumers: 2 });
  expect(await countsOf(two.agent, 0)).toMatchObject({ pipeTransports: 1, producers: 2 });
});

test("a track that comes later extends the open pipe and the view", async () => {
  const { one, two, broadcast } = await broadcastToTwo();
  await broadcast.start(["audio"]);
  const viewer = await viewerOn(two);
  await connectPair(broadcast, viewer);
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  await viewer.moreOf("audio");
  const [audio] = viewer.consumers;

  await broadcast.produce("video");
  const opened = await openLegs(broadcast, viewer.worker, 1);
  const result = await viewer.watch(broadcast, 1, opened);
  expect(result.transportIsNew).toBe(false);
  expect(viewer.consumers.map((one) => one.trackId).sort()).toEqual([
    broadcast.trackId("audio"),
    broadcast.trackId("video"),
  ]);
  expect(viewer.consumers).toContainEqual(audio);
  const { viewId, scope } = viewer;
  await two.node.ask({ op: "resume-views", ...scope, viewIds: [viewId] });
  await viewer.moreOf("video");
  expect(await countsOf(one.agent, 0)).toMatchObject({ consumers: 2 });
});

test("mute and unmute reach every leg, and a closed track is gone everywhere", async () => {
  const { one, two, broadcast } = await broadcastToTwo(2);
  await broadcast.start();
  const viewers = [await viewerOn(two, 0), await viewerOn(two, 1)];
  for (const viewer of viewers) {
    await connectPair(broadcast, viewer);
    await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
    await viewer.moreOf("video");
  }
  const { broadcastId } = broadcast;
  const trackId = broadcast.trackId("video");
  const set = async (version: number, wanted: "playing" | "paused" | "closed") => {
    const track = { kind: "track" as const, broadcastId, trackId, version, wanted };
    await Promise.all([one.node.apply(track), two.node.apply(track)]);
  };
  const paused = async () => {
    const [sent, piped] = await Promise.all([stateOf(one.agent), stateOf(two.agent)]);
    return [...sent.broadcasts, ...piped.pipes.incoming]
      .flatMap((holder) => holder.tracks)
      .filter((track) => track.trackId === trackId)
      .map((track) => track.paused);
  };

  await set(1, "paused");
  const all = [true, true, true];
  await waitFor(async () => `${await paused()}` === `${all}`, { what: "mute" });
  const muted = viewers.map((viewer) => viewer.packets("video"));
  await Promise.all(viewers.map((viewer) => viewer.moreOf("audio", 20)));
  // A packet may have been under way when the mute came.
  for (const [i, viewer] of viewers.entries()) {
    expect(viewer.packets("video") - (muted[i] ?? 0)).toBeLessThanOrEqual(2);
  }

  await set(3, "playing");
  await Promise.all(viewers.map((viewer) => viewer.moreOf("video")));
  await set(2, "paused");
  await Promise.all(viewers.map((viewer) => viewer.moreOf("video")));

  await set(4, "closed");
  expect(await paused()).toEqual([]);
  expect(await countsOf(two.agent, 0)).toMatchObject({ producers: 1, consumers: 1 });
});

test("a leg made after a mute starts muted", async () => {
  const { one, two, broadcast } = await broadcastToTwo();
  await broadcast.start(["audio"]);
  const { broadcastId } = broadcast;
  const trackId = broadcast.trackId("audio");
  const track = { kind: "track" as const, broadcastId, trackId };
  await one.node.apply({ ...track, version: 1, wanted: "paused" });
  const viewer = await viewerOn(two);
  await connectPair(broadcast, viewer);
  const opened = await openLegs(broadcast, viewer.worker, 1);
  expect(opened.legs).toMatchObject([{ trackId, paused: true }]);
  // The consumer side hears of the unmute before it has the leg.
  await one.node.apply({ ...track, version: 2, wanted: "playing" });
  await two.node.apply({ ...track, version: 2, wanted: "playing" });
  await viewer.watch(broadcast, 1, opened);
  await viewer.moreOf("audio");
});

test("closing a pipe returns mediasoup's counts to what they were, each time", async () => {
  const { one, two, broadcast } = await broadcastToTwo();
  await broadcast.start();
  const viewer = await viewerOn(two);
  await connectPair(broadcast, viewer);
  const counts = () => Promise.all([countsOf(one.agent, 0), countsOf(two.agent, 0)]);
  const before = await counts();
  for (const generation of [1, 2, 3]) {
    const pipe = pipeOf(broadcast, viewer, generation);
    const watching = await viewerOn(two);
    await Promise.all([
      one.node.apply({ ...pipe, wanted: "open" }),
      two.node.apply({ ...pipe, wanted: "open" }),
    ]);
    const opened = await openLegs(broadcast, watching.worker, generation);
    await watching.watch(broadcast, generation, opened);
    await watching.moreOf("video");
    const { viewId, scope } = watching;
    const { sessionId } = scope;
    await one.node.apply({ ...pipe, wanted: "closed" });
    await two.node.apply(
      { kind: "close-view", viewId, sessionId },
      { ...pipe, wanted: "closed" },
      { kind: "close-session", sessionId },
    );
    expect(await counts()).toEqual(before);
  }
});

test("closing a broadcast closes its producers, its legs and what they fed", async () => {
  const { one, two, broadcast } = await broadcastToTwo();
  const before = await countsOf(one.agent, 0);
  await broadcast.start();
  const viewer = await viewerOn(two);
  await connectPair(broadcast, viewer);
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  const { broadcastId } = broadcast;
  await one.node.apply({ kind: "close-broadcast", broadcastId });
  await two.node.apply({ kind: "close-broadcast", broadcastId });
  const after = await countsOf(one.agent, 0);
  expect(after).toEqual({ ...before, transports: 1, pipeTransports: 1 });
  expect(await countsOf(two.agent, 0)).toMatchObject({ producers: 0, consumers: 0 });
});
