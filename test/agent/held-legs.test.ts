import type { types } from "mediasoup";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Agent } from "#agent/agent.ts";
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

/** Keyframes that an agent asked its broadcasters for, from now on. */
async function countKeyFrameRequests(agent: Agent) {
  const requests: types.ProducerTraceEventData[] = [];
  for (const { tracks } of agent.registration?.media.sending.all ?? []) {
    for (const { producer } of tracks.values()) {
      await producer.enableTraceEvent(["pli"]);
      producer.on("trace", (event) => requests.push(event));
    }
  }
  return requests;
}

async function scene(legHoldMs: number) {
  const one = await rig.agent("one", "producer:camera:1", { legHoldMs });
  const two = await rig.agent("two", "consumer:camera:1");
  const broadcast = await new TestBroadcast(one.node, 0, await rig.peer()).start();
  const viewer = new TestViewer(two.node, 0, await rig.peer());
  await connectPair(broadcast, viewer);
  // The source's own first keyframe request is of no interest here.
  await waitFor(() => one.agent.registration?.media.sending.all[0]?.tracks.size === 2, {
    what: "both tracks",
  });
  return { one, two, broadcast, viewer };
}

const longMs = 600_000;

test("a new pipe asks for its keyframe when its first viewer can take it", async () => {
  const { one, broadcast, viewer } = await scene(longMs);
  const requests = await countKeyFrameRequests(one.agent);
  const opened = await openLegs(broadcast, viewer.worker, 1);
  expect(opened.legs).toContainEqual(
    expect.objectContaining({ kind: "video", held: true }),
  );
  expect(opened.legs).toContainEqual(
    expect.objectContaining({ kind: "audio", held: false }),
  );
  const result = await viewer.node.ask(viewer.request(broadcast, 1, opened));
  // Everything is made, and nothing was asked for: the viewer is not there yet.
  expect(requests).toEqual([]);
  const [view] = result.views;
  if (view?.status === "ready") viewer.consumers = view.consumers;
  await viewer.peer.connect(result.transport);
  await viewer.moreOf("video");
  expect(requests.length).toBeGreaterThan(0);
});

test("a held leg starts by itself where nobody could say that it is wanted", async () => {
  rig.control.startsLegs = false;
  const { broadcast, viewer } = await scene(50);
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  await viewer.moreOf("video");
});

test("a track that a running pipe gains starts when its viewer resumes it", async () => {
  const one = await rig.agent("one", "producer:camera:1", { legHoldMs: longMs });
  const two = await rig.agent("two", "consumer:camera:1");
  const broadcast = await new TestBroadcast(one.node, 0, await rig.peer()).start([
    "audio",
  ]);
  const viewer = new TestViewer(two.node, 0, await rig.peer());
  await connectPair(broadcast, viewer);
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  await viewer.moreOf("audio");
  await broadcast.produce("video");
  await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  const { viewId, scope } = viewer;
  expect(two.node.eventsOf("legs-wanted")).toEqual([]);
  await two.node.ask({ op: "resume-views", ...scope, viewIds: [viewId] });
  await viewer.moreOf("video");
});

test("a pipe carries the same with a held leg as with one that mediasoup makes", async () => {
  const { one, broadcast, viewer } = await scene(longMs);
  const { legs } = await openLegs(broadcast, viewer.worker, 1);
  const held = legs.find(({ kind }) => kind === "video");
  const media = one.agent.registration?.media;
  const source = media?.sending.all[0]?.tracks.get(broadcast.trackId("video"));
  const producerId = source?.producer.id ?? "";
  const plain = await media?.pairs.all[0]?.transport.consume({ producerId });
  const { encodings, headerExtensions, ...rest } = plainOf(held?.rtpParameters);
  const expected = plainOf(plain?.rtpParameters);
  expect(rest).toEqual({ codecs: expected.codecs, rtcp: expected.rtcp });
  expect(encodings).toHaveLength(expected.encodings?.length ?? 0);
  expect(encodings?.[0]).toHaveProperty("rtx");
  // AV1 alone needs the descriptor that a pipe adds.
  expect(headerExtensions).toEqual(
    expected.headerExtensions?.filter(
      ({ uri }) => !uri.includes("dependency-descriptor"),
    ),
  );
});

/** RTP parameters as they are after the wire. */
function plainOf(parameters: unknown): Partial<types.RtpParameters> {
  return JSON.parse(JSON.stringify(parameters));
}
