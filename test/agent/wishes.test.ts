import { afterEach, beforeEach, expect, test } from "vitest";
import { stateOf } from "#agent/state.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { connectPair, openLegs, TestBroadcast, TestViewer } from "./participants.ts";
import { Rig } from "./rig.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await new Rig().start();
});
afterEach(async () => {
  await rig.close();
});

/** A broadcast with two viewers on one worker of a host that lowers quickly. */
async function watchedByTwo() {
  const workers = "producer:camera:1,consumer:camera:1";
  const { agent, node } = await rig.agent("one", workers, { layerLoweringMs: 60 });
  const broadcast = await new TestBroadcast(node, 0, await rig.peer()).start();
  const viewers = [await rig.peer(), await rig.peer()].map(
    (peer) => new TestViewer(node, 1, peer),
  );
  const [first, second] = viewers as [TestViewer, TestViewer];
  await connectPair(broadcast, first);
  await first.watch(broadcast, 1, await openLegs(broadcast, first.worker, 1));
  await second.watch(broadcast, 1);
  const wish = ({ scope, viewId }: TestViewer, wishes: object) =>
    node.ask({ op: "update-views", ...scope, views: [{ viewId, ...wishes }] });
  const told = () =>
    node.eventsOf("layers-wanted").map(({ spatialLayer }) => spatialLayer);
  const last = (layer: number) =>
    waitFor(() => told().at(-1) === layer, { what: `layer ${layer} to be told` });
  return { agent, node, broadcast, first, second, wish, told, last };
}

test("the highest layer that anyone on a worker watches is told, each change once", async () => {
  const { node, broadcast, first, second, wish, told, last } = await watchedByTwo();
  await last(7);
  await wish(first, { preferredLayers: { spatialLayer: 0 } });
  await wish(second, { preferredLayers: { spatialLayer: 1 } });
  await last(1);
  // Nobody else's wish changes what the highest is.
  await wish(first, { preferredLayers: { spatialLayer: 1 } });
  await wish(second, { pausedKinds: ["video"] });
  await wish(first, { preferredLayers: { spatialLayer: 2 } });
  await last(2);
  await wish(first, { paused: true });
  await last(-1);
  await wish(second, { pausedKinds: [] });
  await last(1);
  await node.apply({ kind: "close-view", viewId: second.viewId, ...second.scope });
  await last(-1);
  expect(told()).toEqual([7, 1, 2, -1, 1, -1]);
  const [event] = node.eventsOf("layers-wanted");
  expect(event).toMatchObject({
    broadcastId: broadcast.broadcastId,
    workerId: first.worker.workerId,
    roomId: first.scope.roomId,
  });
});

test("a view whose picture is held back is heard, and its picture comes when it is asked for", async () => {
  const { agent, broadcast, first, wish } = await watchedByTwo();
  await first.moreOf("video");
  await wish(first, { pausedKinds: ["video"] });
  const paused = async () => {
    const { views } = await stateOf(agent);
    const view = views.find(({ viewId }) => viewId === first.viewId);
    return view?.consumers.map(({ trackId, paused: is }) => [trackId, is]).sort();
  };
  expect(await paused()).toEqual([
    [broadcast.trackId("audio"), false],
    [broadcast.trackId("video"), true],
  ]);
  await first.moreOf("audio");
  await wish(first, { pausedKinds: [] });
  await first.moreOf("video");
});
