import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BoundedMap } from "#agent/instructions/bounded-map.ts";
import { Generations } from "#agent/instructions/generations.ts";
import { Inbox } from "#agent/instructions/inbox.ts";
import { stateOf } from "#agent/state.ts";
import type { Instruction } from "#schema/agent/instructions.ts";
import { connectPair, openLegs, TestBroadcast, TestViewer } from "./participants.ts";
import { countsOf, Rig } from "./rig.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await new Rig().start();
});
afterEach(async () => {
  await rig.close();
});

test("however instructions are doubled and shuffled, each is applied once and all are acknowledged", () => {
  const deliveries = fc
    .integer({ min: 1, max: 12 })
    .chain((count) =>
      fc.tuple(
        fc.constant(count),
        fc.array(fc.array(fc.integer({ min: 1, max: count }))),
      ),
    );
  fc.assert(
    fc.property(deliveries, ([count, batches]) => {
      const applied: number[] = [];
      const inbox = new Inbox(0, (instruction) => {
        applied.push(Number((instruction as { viewId: string }).viewId));
      });
      const item = (seq: number) => {
        const viewId = String(seq);
        const instruction = { kind: "close-view" as const, viewId, sessionId: "s" };
        return { seq, instruction };
      };
      const seen = new Set<number>();
      for (const batch of batches) {
        inbox.take(batch.map(item));
        for (const seq of batch) seen.add(seq);
        let through = 0;
        while (seen.has(through + 1)) through += 1;
        expect(inbox.ackSeq).toBe(through);
      }
      inbox.take(Array.from({ length: count }, (_, index) => item(index + 1)));
      expect(inbox.ackSeq).toBe(count);
      expect([...applied].sort((a, b) => a - b)).toEqual(
        Array.from({ length: count }, (_, index) => index + 1),
      );
    }),
  );
});

test("a track ends in the state of its highest version, in whatever order versions come", () => {
  const versions = fc.shuffledSubarray([1, 2, 3, 4, 5, 6], { minLength: 1 });
  fc.assert(
    fc.property(versions, (order) => {
      const generations = new Generations();
      for (const version of order) {
        generations.setTrack("track", version, version % 2 ? "paused" : "playing");
      }
      const highest = Math.max(...order);
      expect(generations.trackWanted("track")).toBe(highest % 2 ? "paused" : "playing");
    }),
  );
});

test("what is remembered of closed things is bounded, and the newest is kept", () => {
  const map = new BoundedMap<number>(100);
  for (let key = 0; key < 1000; key += 1) map.set(String(key), key);
  expect(map.size).toBe(100);
  expect(map.has("899")).toBe(false);
  expect(map.get("999")).toBe(999);
});

test("doubled, late and reordered instructions do a running pipe no harm", async () => {
  const { agent, node } = await rig.agent("one", "producer:camera:1,consumer:camera:1");
  const broadcast = new TestBroadcast(node, 0, await rig.peer());
  await broadcast.start();
  const viewer = new TestViewer(node, 1, await rig.peer());
  await connectPair(broadcast, viewer);
  const { broadcastId, worker: producer } = broadcast;
  const consumer = viewer.worker;
  const pipe = (generation: number, wanted: "open" | "closed"): Instruction => {
    return { kind: "pipe", broadcastId, producer, consumer, generation, wanted };
  };
  const item = (seq: number, instruction: Instruction) => ({ seq, instruction });

  // Generation 2 is opened before anything of generation 1 was heard.
  node.push({ instructions: [item(3, pipe(2, "open"))] });
  node.nextSeq = 3;
  const opened = await openLegsWithout(node, 2);
  await viewer.watch(broadcast, 2, opened);
  await viewer.moreOf("video");
  const before = await countsOf(agent, 1);

  node.push({
    instructions: [
      item(2, pipe(1, "closed")),
      item(1, pipe(1, "open")),
      item(2, pipe(1, "closed")),
      item(3, pipe(2, "open")),
    ],
  });
  node.nextSeq = 4;
  await node.settled();
  await viewer.moreOf("video");
  expect(await countsOf(agent, 1)).toEqual(before);

  const stale = { broadcastId, producer, consumer, generation: 1 };
  expect(await node.call({ op: "open-legs", pipes: [stale] })).toMatchObject({
    code: "gone",
  });
  await node.apply(pipe(2, "closed"));
  node.push({ instructions: [item(4, pipe(2, "open")), item(1, pipe(1, "open"))] });
  await node.apply(pipe(2, "open"));
  const reopened = { ...stale, generation: 2 };
  expect(await node.call({ op: "open-legs", pipes: [reopened] })).toMatchObject({
    code: "gone",
  });
  expect((await stateOf(agent)).pipes).toEqual({ outgoing: [], incoming: [] });

  /** Opens legs without waiting for the gap in the outbox to fill. */
  async function openLegsWithout(to: typeof node, generation: number) {
    const answer = await to.call(
      { op: "open-legs", pipes: [{ broadcastId, producer, consumer, generation }] },
      { afterSeq: 0 },
    );
    if (!answer.ok) throw new Error(answer.reason);
    return openLegsAgain(generation);
  }

  /** The same legs once more: opening what is open returns it. */
  async function openLegsAgain(generation: number) {
    node.nextSeq = 1;
    return openLegs(broadcast, consumer, generation);
  }
});

test("closing a viewer twice, and one that never was, closes that viewer alone", async () => {
  const { agent, node } = await rig.agent("one", "producer:camera:1,consumer:camera:1");
  const broadcast = new TestBroadcast(node, 0, await rig.peer());
  await broadcast.start();
  const viewers = [
    new TestViewer(node, 1, await rig.peer()),
    new TestViewer(node, 1, await rig.peer()),
  ] as const;
  await connectPair(broadcast, viewers[0]);
  for (const viewer of viewers) {
    await viewer.watch(broadcast, 1, await openLegs(broadcast, viewer.worker, 1));
  }
  const [leaving, staying] = viewers;
  const { viewId } = leaving;
  const { sessionId } = leaving.scope;
  await node.apply(
    { kind: "close-view", viewId, sessionId },
    { kind: "close-view", viewId, sessionId },
    { kind: "close-view", viewId: "view_t_never", sessionId },
    { kind: "close-session", sessionId },
  );
  await staying.moreOf("video");
  expect(await countsOf(agent, 1)).toMatchObject({ transports: 2, consumers: 2 });
});
