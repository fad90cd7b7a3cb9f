import { afterEach, beforeEach, expect, test } from "vitest";
import { stateOf } from "#agent/state.ts";
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

/** Two broadcasts, each with a viewer, on one node; and what a ledger says of them. */
async function twoPictures(orphanGraceMs: number) {
  const { agent, node } = await rig.agent("one", bothRoles, { orphanGraceMs });
  const shown = [];
  for (let at = 0; at < 2; at += 1) {
    const broadcast = await new TestBroadcast(node, 0, await rig.peer()).start();
    const viewer = new TestViewer(node, 1, await rig.peer());
    await connectPair(broadcast, viewer);
    await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
    await viewer.moreOf("video");
    const { broadcastId, transportId } = broadcast;
    const consumerWorkerId = viewer.worker.workerId;
    const pipe = { broadcastId, consumerWorkerId, generation: 1 };
    shown.push({ broadcast, viewer, pipe, transportId, viewId: viewer.viewId });
  }
  const [kept, orphaned] = shown;
  if (!kept || !orphaned) throw new Error("two are needed");
  return { agent, node, kept, orphaned };
}

test("what the ledger does not have is closed and told, and what it has goes on", async () => {
  const { agent, node, kept, orphaned } = await twoPictures(0);
  const found = await node.ask({
    op: "reconcile",
    views: [kept.viewId, "view_t_never"],
    transports: [kept.transportId, "transport_t_never"],
    pipes: [kept.pipe],
  });
  const { broadcastId, consumerWorkerId } = orphaned.pipe;
  const pipe = `${broadcastId}>${consumerWorkerId}#1`;
  expect(found.orphans).toEqual([
    { kind: "view", name: orphaned.viewId },
    { kind: "transport", name: orphaned.transportId },
    { kind: "outgoing-pipe", name: pipe },
    { kind: "incoming-pipe", name: pipe },
  ]);
  const missing = { views: ["view_t_never"], transports: ["transport_t_never"] };
  expect(found.missing).toEqual(missing);
  await kept.viewer.moreOf("video");
  const { broadcasts, pipes, views } = await stateOf(agent);
  const left = [broadcasts.length, pipes.outgoing.length, pipes.incoming.length];
  expect([...left, views.length]).toEqual([1, 1, 1, 1]);
  expect(await countsOf(agent, 0)).toMatchObject({ producers: 2, consumers: 2 });
  expect(await countsOf(agent, 1)).toMatchObject({ producers: 2, consumers: 2 });
  expect(node.eventsOf("transport-lost")).toEqual([]);
});

test("what is younger than the grace is left alone, whatever the ledger says", async () => {
  const { agent, node, orphaned } = await twoPictures(600_000);
  const none = { views: [], transports: [], pipes: [] };
  const found = await node.ask({ op: "reconcile", ...none });
  expect(found).toEqual({ orphans: [], missing: { views: [], transports: [] } });
  await orphaned.viewer.moreOf("video");
  expect((await stateOf(agent)).views).toHaveLength(2);
});
