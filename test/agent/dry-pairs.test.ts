import { afterEach, beforeEach, expect, test } from "vitest";
import { waitFor } from "#test/harness/wait-for.ts";
import type { DrivenNode } from "./driven-node.ts";
import { connectPair, openLegs, TestBroadcast, TestViewer } from "./participants.ts";
import { Rig } from "./rig.ts";

/* Hosts notice that a peer brings nothing, and that a silent source is no such thing. */

let rig: Rig;
const stopped: number[] = [];
beforeEach(async () => {
  rig = await new Rig().start();
});
afterEach(async () => {
  for (const pid of stopped.splice(0)) process.kill(pid, "SIGCONT");
  await rig.close();
});

const timing = { pairDryMs: 2500 };

/** A broadcast on one host that flows to a viewer on another. */
async function piped(kinds: ("audio" | "video")[]) {
  const one = await rig.agent("one", "producer:camera:1", timing);
  const two = await rig.agent("two", "consumer:camera:1", timing);
  const broadcast = new TestBroadcast(one.node, 0, await rig.peer());
  await broadcast.start(kinds);
  const viewer = new TestViewer(two.node, 0, await rig.peer());
  await connectPair(broadcast, viewer);
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  await viewer.moreOf(kinds[0] ?? "video");
  return { one, two, broadcast, viewer };
}

function dryOf({ events }: DrivenNode) {
  return events.flatMap((event) => (event.kind === "pairs-dry" ? event.pairs : []));
}

/** Waits for so many more heartbeats, with each of which a host looks at its pairs. */
async function looks(node: DrivenNode, count: number): Promise<void> {
  const before = node.heartbeats.length;
  await waitFor(() => node.heartbeats.length >= before + count, { what: "heartbeats" });
}

/** Holds a worker still: it answers nobody, and its agent goes on. */
function hold({ agent }: Awaited<ReturnType<Rig["agent"]>>): void {
  const pid = agent.pool.lives[0]?.worker.pid ?? 0;
  process.kill(pid, "SIGSTOP");
  stopped.push(pid);
}

test("a source that is muted leaves no pair dry; one that vanished is only named", async () => {
  const { one, two, broadcast, viewer } = await piped(["video"]);
  const track = {
    kind: "track" as const,
    broadcastId: broadcast.broadcastId,
    trackId: broadcast.trackId("video"),
  };
  for (const { node } of [one, two]) {
    node.instruct({ ...track, version: 1, wanted: "paused" });
  }
  await looks(two.node, 20);
  expect([dryOf(one.node), dryOf(two.node)]).toEqual([[], []]);
  for (const { node } of [one, two]) {
    node.instruct({ ...track, version: 2, wanted: "playing" });
  }
  await viewer.moreOf("video");
  await broadcast.peer.vanish();
  await waitFor(() => dryOf(two.node).length > 0, { what: "a dry pair" });
  const { broadcastId } = broadcast;
  const expected = [broadcastId];
  expect(dryOf(two.node)[0]).toEqual({
    own: viewer.worker,
    peer: broadcast.worker,
    expected,
  });
  expect(dryOf(one.node)).toEqual([]);
});

test("a host whose worker hangs is told of by whoever is sent to by it, and accuses nobody", async () => {
  const { one, two, broadcast } = await piped(["video"]);
  hold(one);
  await waitFor(() => dryOf(two.node).length > 0, { what: "a dry pair" });
  expect(dryOf(two.node)[0]?.peer).toEqual(broadcast.worker);
  expect(dryOf(one.node)).toEqual([]);
});

test("a source's host notices a viewer's host that takes nothing, however silent the source", async () => {
  const { one, two, broadcast, viewer } = await piped(["video"]);
  await broadcast.peer.vanish();
  await looks(one.node, 15);
  expect(dryOf(one.node)).toEqual([]);
  hold(two);
  await waitFor(() => dryOf(one.node).length > 0, { what: "a dry pair" });
  const pair = { own: broadcast.worker, peer: viewer.worker, expected: [] };
  expect(dryOf(one.node)[0]).toEqual(pair);
});
