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

async function broadcasting() {
  const both = await rig.agent("one", "producer:camera:1,consumer:camera:1", {
    idleTransportMs: 50,
  });
  const broadcast = new TestBroadcast(both.node, 0, await rig.peer());
  await broadcast.start();
  const viewer = new TestViewer(both.node, 1, await rig.peer());
  await connectPair(broadcast, viewer);
  return { ...both, broadcast, viewer };
}

test("a call offered twice is executed once and answered each time", async () => {
  const { agent, node, broadcast } = await broadcasting();
  const { scope, transportId } = broadcast;
  // Every ICE restart gives other parameters, so a second one would show.
  const request = { op: "restart-ice" as const, ...scope, transportId };
  const callId = "call_t_twice";
  const offer = { callId, deadlineMs: 5000, afterSeq: 0, request };
  node.push({ calls: [offer, offer] });
  await waitFor(() => node.answers.get(callId), { what: "the answer" });
  node.push({ calls: [offer] });
  const answers = () => node.answersSeen.filter((answer) => answer.callId === callId);
  await waitFor(() => answers().length >= 2, { what: "a second answer" });
  for (const answer of answers()) expect(answer).toEqual(answers()[0]);
  const metrics = await agent.metrics.registry.metrics();
  expect(metrics).toMatch(/seconds_count\{op="restart-ice",outcome="ok"\} 1\n/);
});

test("a watch repeated under another call id returns the same objects", async () => {
  const { agent, node, broadcast, viewer } = await broadcasting();
  const opened = await openLegs(broadcast, viewer.worker, 1);
  const first = await viewer.watch(broadcast, 1, opened);
  const again = await node.ask(viewer.request(broadcast, 1, opened));
  expect(again.transportIsNew).toBe(false);
  expect(again.transport.iceParameters).toEqual(first.transport.iceParameters);
  expect(again.views).toEqual(first.views);
  expect(await countsOf(agent, 1)).toMatchObject({ producers: 2, consumers: 2 });
});

test("a call waits until the instructions before it were applied", async () => {
  const { node, broadcast, viewer } = await broadcasting();
  const { broadcastId, worker: producer } = broadcast;
  const pipe = { broadcastId, producer, consumer: viewer.worker, generation: 1 };
  const answer = node.call({ op: "open-legs", pipes: [pipe] }, { afterSeq: 1 });
  // The call was handed over before what it depends on.
  node.instruct({ kind: "pipe", ...pipe, wanted: "closed" });
  expect(await answer).toMatchObject({ ok: false, code: "gone" });
  const late = { afterSeq: 99, deadlineMs: 50 };
  const missed = await node.call({ op: "open-legs", pipes: [pipe] }, late);
  expect(missed).toMatchObject({ ok: false, code: "deadline" });
});

test("a session may not touch what is another's", async () => {
  const { node, broadcast, viewer } = await broadcasting();
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  const { viewId } = viewer;
  const scope = { roomId: "room_t_1", sessionId: "session_t_thief" };
  const { transportId, peer } = broadcast;
  const { dtlsParameters } = peer;
  const stolen = { ...viewer.request(broadcast, 1), ...scope };
  const refused = await Promise.all([
    node.call({ op: "connect-transport", ...scope, transportId, dtlsParameters }),
    node.call({ op: "restart-ice", ...scope, transportId }),
    node.call({ op: "resume-views", ...scope, viewIds: [viewId] }),
    node.call({ op: "update-views", ...scope, views: [{ viewId, paused: true }] }),
    node.call(stolen),
    node.call({ ...stolen, transportId: "transport_t_thief" }),
  ]);
  const codes = refused.map((answer) => (answer.ok ? "ok" : answer.code));
  // A transport of another's is as good as none.
  expect(codes.slice(0, 2)).toEqual(["gone", "gone"]);
  expect(new Set(codes.slice(2))).toEqual(new Set(["invalid"]));
  await viewer.moreOf("video");
});

test("a view without its pipe fails by itself, as no-pipe", async () => {
  const { node, broadcast, viewer } = await broadcasting();
  const opened = await openLegs(broadcast, viewer.worker, 1);
  const request = viewer.request(broadcast, 1, opened);
  const [view] = request.views;
  if (!view) throw new Error("no view");
  const lost = { ...view, viewId: "view_t_lost", broadcastId: "broadcast_t_other" };
  const answer = await node.ask({
    ...request,
    views: [{ ...lost, legs: undefined }, view],
  });
  expect(answer.views).toMatchObject([
    { status: "failed", viewId: "view_t_lost", code: "no-pipe" },
    { status: "ready", viewId: view.viewId },
  ]);
});

test("a client that decodes nothing is told so, and leaves nothing behind", async () => {
  const { agent, node, broadcast, viewer } = await broadcasting();
  const opened = await openLegs(broadcast, viewer.worker, 1);
  const before = await countsOf(agent, 1);
  const request = viewer.request(broadcast, 1, opened);
  const answer = await node.ask({ ...request, rtpCapabilities: { codecs: [] } });
  expect(answer.views).toMatchObject([{ status: "failed", code: "cannot-consume" }]);
  const emptied = async () => (await countsOf(agent, 1)).transports === before.transports;
  await waitFor(emptied, { what: "the idle transport to close" });
  expect((await stateOf(agent)).views).toEqual([]);
});

test("views on a connected transport are active at once, and wait for their resume", async () => {
  const { node, broadcast, viewer } = await broadcasting();
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  const active = await node.nextEvent("views-active");
  expect(active).toMatchObject({ ...viewer.scope, viewIds: [viewer.viewId] });
  expect(viewer.consumers.map((one) => one.paused)).toEqual([false, false]);

  const other = new TestBroadcast(node, 0, await rig.peer());
  await other.start();
  const opened = await openLegs(other, viewer.worker, 1);
  const request = viewer.request(other, 1, opened);
  const viewId = "view_t_second";
  const views = request.views.map((view) => ({ ...view, viewId }));
  const answer = await node.ask({ ...request, views });
  expect(answer.transportIsNew).toBe(false);
  const [second] = answer.views;
  if (second?.status !== "ready") throw new Error("not ready");
  expect(second.consumers.map((one) => one.paused)).toEqual([true, true]);
  const reported = () => node.eventsOf("views-active").flatMap((event) => event.viewIds);
  await waitFor(() => reported().includes(viewId), { what: "the second view's event" });
  expect(reported()).toHaveLength(2);

  viewer.consumers = second.consumers;
  expect(viewer.packets("video")).toBe(0);
  await node.ask({ op: "resume-views", ...viewer.scope, viewIds: [viewId] });
  await viewer.moreOf("video");
});

test("a paused view gets no media until it is played again", async () => {
  const { agent, node, broadcast, viewer } = await broadcasting();
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  await viewer.moreOf("video");
  const { viewId, scope } = viewer;
  const update = (wishes: { paused: boolean; priority?: number }) =>
    node.ask({ op: "update-views", ...scope, views: [{ viewId, ...wishes }] });
  await update({ paused: true, priority: 200 });
  // A resume of what waits is no resume of what is paused.
  await node.ask({ op: "resume-views", ...scope, viewIds: [viewId] });
  const [view] = (await stateOf(agent)).views;
  expect(view?.consumers.map((one) => one.paused)).toEqual([true, true]);
  await update({ paused: false });
  await viewer.moreOf("video");
});

test("what was closed is refused as gone, however late it is asked for", async () => {
  const { node, broadcast, viewer } = await broadcasting();
  const opened = await openLegs(broadcast, viewer.worker, 1);
  const { viewId, scope, worker: consumer } = viewer;
  const { sessionId } = scope;
  const { broadcastId, worker: producer } = broadcast;
  const watch = viewer.request(broadcast, 1, opened);
  await node.apply({ kind: "close-view", viewId, sessionId });
  expect(await node.call(watch)).toMatchObject({ code: "gone" });
  const pipe = { broadcastId, producer, consumer, generation: 1 };
  await node.apply({ kind: "pipe", ...pipe, wanted: "closed" });
  const legs = await node.call({ op: "open-legs", pipes: [pipe] });
  expect(legs).toMatchObject({ code: "gone" });
  await node.apply({ kind: "close-session", sessionId: broadcast.scope.sessionId });
  const opening = await node.call({
    op: "open-send-transport",
    ...broadcast.scope,
    worker: producer,
    transportId: "transport_t_late",
    broadcastId: "broadcast_t_late",
    maxIncomingKbps: 1000,
  });
  expect(opening).toMatchObject({ code: "gone" });
  const dead = { ...consumer, incarnation: "of-another-life" };
  expect(await node.call({ ...watch, worker: dead })).toMatchObject({ code: "gone" });
});

test("stats are mediasoup's own, for broadcasts and for views", async () => {
  const { node, broadcast, viewer } = await broadcasting();
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  await viewer.moreOf("video");
  const { broadcastId } = broadcast;
  const sent = await node.ask({ op: "stats", of: { type: "broadcast", broadcastId } });
  expect(sent.stats).toContainEqual(
    expect.objectContaining({
      type: "inbound-rtp",
      kind: "video",
      trackId: broadcast.trackId("video"),
    }),
  );
  const { viewId } = viewer;
  const seen = await node.ask({ op: "stats", of: { type: "view", viewId } });
  const outbound = seen.stats.filter((stat) => stat.type === "outbound-rtp");
  expect(outbound.map((stat) => stat.kind).sort()).toEqual(["audio", "video"]);
  for (const stat of outbound) expect(stat.packetCount).toBeGreaterThan(0);
});

test("a call that cannot be read is answered, and the others go on", async () => {
  const { node } = await broadcasting();
  node.push({
    calls: [{ callId: "call_t_odd", deadlineMs: 1, afterSeq: 0, request: { op: "odd" } }],
    instructions: [{ seq: node.nextSeq, instruction: { kind: "odd" } }],
  });
  node.nextSeq += 1;
  const odd = await waitFor(() => node.answers.get("call_t_odd"), { what: "refusal" });
  expect(odd).toMatchObject({ ok: false, code: "invalid" });
  await node.settled();
});
