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

const bothRoles = "producer:camera:1,consumer:camera:1";

async function watching(timing: Parameters<Rig["agent"]>[2] = {}) {
  const both = await rig.agent("one", bothRoles, timing);
  const broadcast = new TestBroadcast(both.node, 0, await rig.peer());
  await broadcast.start();
  const viewer = new TestViewer(both.node, 1, await rig.peer());
  await connectPair(broadcast, viewer);
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  await viewer.moreOf("video");
  return { ...both, broadcast, viewer };
}

test("a worker that dies is reported and replaced, and the new one works", async () => {
  const { agent, node, broadcast, viewer } = await watching();
  const died = agent.pool.lives[1];
  if (!died) throw new Error("no consumer worker");
  process.kill(died.worker.pid, "SIGKILL");
  const event = await node.nextEvent("worker-died");
  expect(event).toMatchObject(viewer.worker);
  expect(event.replacedBy).not.toBe(event.incarnation);
  expect(node.eventsOf("transport-lost")).toEqual([]);

  const old = await node.call(viewer.request(broadcast, 1));
  expect(old).toMatchObject({ ok: false, code: "gone" });
  const again = new TestViewer(node, 1, await rig.peer());
  const worker = { workerId: event.workerId, incarnation: event.replacedBy };
  Object.assign(again, { worker });
  await connectPair(broadcast, again);
  await again.watch(broadcast, 2, await openLegs(broadcast, worker, 2));
  await again.moreOf("video");
  const beat = () => node.heartbeats.at(-1)?.workers.map((one) => one.incarnation);
  await waitFor(() => beat()?.includes(event.replacedBy), { what: "new incarnation" });
});

test("a worker that hangs is killed, reported and replaced; one that answers is not", async () => {
  const { agent, node } = await rig.agent("one", bothRoles, { workerSilentMs: 1000 });
  const [well, hanging] = agent.pool.lives;
  if (!well || !hanging) throw new Error("no workers");
  process.kill(hanging.worker.pid, "SIGSTOP");
  const event = await node.nextEvent("worker-died");
  expect(event.incarnation).toBe(hanging.incarnation);
  const now = () => agent.pool.lives.map(({ incarnation }) => incarnation);
  expect(now()).toEqual([well.incarnation, event.replacedBy]);
});

test("a fenced agent closes all its media and registers again under new incarnations", async () => {
  const { agent, node, broadcast } = await watching();
  node.fenced = true;
  const next = await rig.control.node("one", 2);
  for (const ordinal of [0, 1]) {
    const none = { transports: 0, pipeTransports: 0, producers: 0, consumers: 0 };
    expect(await countsOf(agent, ordinal)).toEqual(none);
    expect(next.workerRef(ordinal).incarnation).not.toBe(
      node.workerRef(ordinal).incarnation,
    );
  }
  const fresh = new TestBroadcast(next, 0, await rig.peer());
  await fresh.start();
  const viewer = new TestViewer(next, 1, await rig.peer());
  await connectPair(fresh, viewer);
  await viewer.watch(fresh, 1, await openLegs(fresh, viewer.worker, 1));
  await viewer.moreOf("video");
  const { broadcastId } = broadcast;
  const stats = await next.call({
    op: "stats",
    of: { type: "broadcast", broadcastId },
  });
  expect(stats).toMatchObject({ code: "gone" });
});

test("an agent goes on with the credential that a heartbeat brings, and keeps its media", async () => {
  const { node, broadcast, viewer } = await watching();
  const beats = async (more: number) => {
    const count = node.heartbeats.length + more;
    await waitFor(() => node.heartbeats.length >= count, { what: "heartbeats" });
  };
  node.nextCredential = "signed with the next secret";
  // The first of them brings it, the second is sent with it.
  await beats(2);
  // The former secret is taken out: what it signed is good no longer.
  node.credential = node.nextCredential;
  const { broadcastId } = broadcast;
  // One poll may be on its way since before; calls come with the ones after it.
  for (let calls = 0; calls < 2; calls += 1) {
    await node.ask({ op: "stats", of: { type: "broadcast", broadcastId } });
  }
  await beats(1);
  await viewer.moreOf("video", 50);
  expect(rig.control.registrations).toBe(1);
});

test("while control is down media flows, and what happened then is reported after", async () => {
  const { agent, node, broadcast, viewer } = await watching();
  await rig.control.stop();
  await viewer.moreOf("video", 50);
  await broadcast.peer.leave();
  const lost = async () => (await stateOf(agent)).broadcasts.length === 0;
  await waitFor(lost, { what: "the broadcast to be lost" });
  expect(node.eventsOf("transport-lost")).toEqual([]);
  await rig.control.start();
  const event = await node.nextEvent("transport-lost");
  expect(event).toMatchObject({
    ...broadcast.scope,
    transportId: broadcast.transportId,
    broadcastId: broadcast.broadcastId,
    direction: "send",
  });
  expect(rig.control.registrations).toBe(1);
  const { viewId } = viewer;
  await node.ask({ op: "stats", of: { type: "view", viewId } });
});

test("a view whose broadcaster fell silent shows that nothing comes in, while its host answers", async () => {
  const { node, broadcast, viewer } = await watching();
  const { viewId } = viewer;
  const incoming = async () => {
    const { stats } = await node.ask({ op: "stats", of: { type: "view", viewId } });
    return stats.filter(({ type }) => type === "inbound-rtp").map((one) => one.bitrate);
  };
  await waitFor(async () => (await incoming()).some((bitrate) => bitrate !== 0), {
    what: "media coming in",
  });
  await broadcast.peer.vanish();
  await waitFor(async () => (await incoming()).every((bitrate) => bitrate === 0), {
    what: "nothing coming in",
  });
});

test("a client that never connects is closed and reported lost", async () => {
  const { agent, node } = await rig.agent("one", bothRoles, { dtlsConnectMs: 100 });
  const scope = { roomId: "room_t_1", sessionId: "session_t_slow" };
  await node.ask({
    op: "open-send-transport",
    ...scope,
    worker: node.workerRef(0),
    transportId: "transport_t_slow",
    broadcastId: "broadcast_t_slow",
    maxIncomingKbps: 1000,
  });
  expect(await countsOf(agent, 0)).toMatchObject({ transports: 1 });
  const event = await node.nextEvent("transport-lost");
  expect(event).toMatchObject({ ...scope, transportId: "transport_t_slow" });
  expect(await countsOf(agent, 0)).toMatchObject({ transports: 0 });
});

test("a viewer who closes is reported lost at once, with the views that went", async () => {
  const { agent, node, viewer } = await watching();
  await viewer.peer.leave();
  const event = await node.nextEvent("transport-lost");
  const { transportId, viewId, scope } = viewer;
  const lost = { ...scope, transportId, direction: "receive", viewIds: [viewId] };
  expect(event).toMatchObject(lost);
  expect(await countsOf(agent, 1)).toMatchObject({ consumers: 0 });
});

test("a viewer who vanishes is lost after ICE consent and its grace", async () => {
  const { node, viewer } = await watching({ iceGraceMs: 100 });
  await viewer.peer.vanish();
  const event = await node.nextEvent("transport-lost", 25_000);
  expect(event).toMatchObject({ ...viewer.scope, viewIds: [viewer.viewId] });
  expect(event.reason).toContain("ICE");
}, 30_000);

test("a receiving transport without views closes by itself, unreported", async () => {
  const { agent, node, viewer } = await watching({ idleTransportMs: 50 });
  const { viewId } = viewer;
  const { sessionId } = viewer.scope;
  await node.apply({ kind: "close-view", viewId, sessionId });
  const gone = async () => {
    const { transports, pipeTransports } = await countsOf(agent, 1);
    return transports === pipeTransports;
  };
  await waitFor(gone, { what: "the transport to close" });
  expect(node.eventsOf("transport-lost")).toEqual([]);
});

test("a source that stays over what it was admitted with, by the factor that control names, is closed with a reason", async () => {
  rig.control.overBitrateFactor = 0.001;
  const { node } = await rig.agent("one", bothRoles, { overBitrateMs: 400 });
  const broadcast = new TestBroadcast(node, 0, await rig.peer());
  broadcast.maxIncomingKbps = 1000;
  await broadcast.start();
  const event = await node.nextEvent("transport-lost");
  expect(event).toMatchObject({ broadcastId: broadcast.broadcastId });
  expect(event.reason).toContain("admitted with 1000");
});

test("heartbeats tell of CPU and traffic", async () => {
  const { node } = await watching();
  const measured = () =>
    node.heartbeats.find((beat) => beat.egressKbps > 0 && beat.ingressKbps > 0);
  const beat = await waitFor(measured, { what: "traffic in a heartbeat" });
  expect(beat.draining).toBe(false);
  const busy = () =>
    node.heartbeats.some((one) => one.workers.some((worker) => worker.cpuPercent > 0));
  await waitFor(busy, { what: "CPU in a heartbeat" });
});
