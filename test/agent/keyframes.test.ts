import { afterEach, beforeEach, expect, test } from "vitest";
import { waitFor } from "#test/harness/wait-for.ts";
import { connectPair, openLegs, TestBroadcast, TestViewer } from "./participants.ts";
import { PictureSource } from "./picture-source.ts";
import { Rig } from "./rig.ts";

let rig: Rig;
const sources: PictureSource[] = [];
beforeEach(async () => {
  rig = await new Rig().start();
});
afterEach(async () => {
  for (const source of sources.splice(0)) source.stop();
  await rig.close();
});

/** A broadcast of a picture that has keyframes only where they are asked for. */
async function picture(node: TestBroadcast["node"]) {
  const broadcast = await new TestBroadcast(node, 0, await rig.peer()).start([]);
  const source = new PictureSource(broadcast.peer, await broadcast.announce("video"));
  sources.push(source);
  return { broadcast, source };
}

/** Its worker has had the first keyframe: what comes later has to be asked for. */
async function settled({ broadcast }: Awaited<ReturnType<typeof picture>>) {
  const of = { type: "broadcast" as const, broadcastId: broadcast.broadcastId };
  await waitFor(
    async () => {
      const { stats } = await broadcast.node.ask({ op: "stats", of });
      return stats.some((stat) => Number(stat.packetCount) > 5);
    },
    { what: "the picture at its worker" },
  );
}

test("the first viewer of a pipe sees the first keyframe that is asked for, on a new pair and on one that is there", async () => {
  const { node } = await rig.agent("one", "producer:camera:1,consumer:camera:1");
  const viewer = new TestViewer(node, 1, await rig.peer());
  for (const _ of ["new", "there"]) {
    const shown = await picture(node);
    await settled(shown);
    const { broadcast, source } = shown;
    expect(source.asked).toHaveLength(0);
    await connectPair(broadcast, viewer);
    const opened = await openLegs(broadcast, viewer.worker, 1);
    expect(opened.legs).toMatchObject([{ kind: "video", held: true }]);
    const watching = new TestViewer(node, 1, await rig.peer());
    await watching.watch(broadcast, 1, opened);
    await watching.moreOf("video", 1);
    expect(source.asked).toHaveLength(1);
  }
});

test("fifty who join in a burst on two workers ask the source for a keyframe once a second at most, and all see one", async () => {
  const workers = "producer:camera:1,consumer:camera:2";
  const { node } = await rig.agent("one", workers);
  const { broadcast, source } = await picture(node);
  const viewers = [
    new TestViewer(node, 1, await rig.peer()),
    new TestViewer(node, 2, await rig.peer()),
  ] as const;
  for (const viewer of viewers) {
    await connectPair(broadcast, viewer);
    await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
    await viewer.moreOf("video", 1);
  }
  const startedMs = performance.now();
  const before = source.asked.length;
  const ssrcs: { viewer: TestViewer; ssrc: number }[] = [];
  for (let at = 0; at < 50; at += 1) {
    const viewer = viewers[at % 2 ? 0 : 1];
    const { viewId, scope } = viewer;
    const [asked] = viewer.request(broadcast, 1).views;
    if (!asked) throw new Error("nothing asked for");
    const joining = { ...asked, viewId: `${viewId}-${at}` };
    const request = { ...viewer.request(broadcast, 1), views: [joining] };
    const { views } = await node.ask(request);
    const [joined] = views;
    if (joined?.status !== "ready") throw new Error(joined?.reason);
    await node.ask({ op: "resume-views", ...scope, viewIds: [joining.viewId] });
    const encodings = joined.consumers[0]?.rtpParameters.encodings;
    ssrcs.push({ viewer, ssrc: Number(encodings?.[0]?.ssrc) });
  }
  await waitFor(
    () => ssrcs.every(({ viewer, ssrc }) => viewer.peer.packetsOf(ssrc) > 0),
    {
      what: "a picture for all fifty",
    },
  );
  const seconds = (performance.now() - startedMs) / 1000;
  const asked = source.asked.length - before;
  expect(asked).toBeGreaterThan(0);
  expect(asked).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
});
