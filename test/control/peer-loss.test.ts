import { afterAll, beforeAll, expect, test } from "vitest";
import type { NodeInfo } from "#schema/api/fleet.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { bodyOf, enter, openRoom } from "./api.ts";
import { ChannelClient } from "./channel-client.ts";
import { arrives, LiveMedia } from "./live-media.ts";
import { startNode, type TestNode } from "./node.ts";

/* Real hosts and RTP: one whose media is cut off, though it answers control. */

let control: Control;
let live: LiveMedia;
let source: TestNode;
let edges: TestNode[];

beforeAll(async () => {
  const timing = { heartbeatMs: 250, nodeSuspectMs: 60_000, nodeLeaseMs: 120_000 };
  control = await startControl({ settings: { timing, failing: { lossWithinMs: 2000 } } });
  live = new LiveMedia(control);
  const quick = { pairDryMs: 2000 };
  source = await startNode(control, "source", "producer:camera:1", quick);
  edges = await Promise.all(
    ["left", "right"].map((name) => startNode(control, name, "consumer:camera:1", quick)),
  );
});
afterAll(async () => {
  await live.end();
  await Promise.all([source, ...edges].map((node) => node.stop()));
  await control.stop();
});

async function operate(what: string, { id }: TestNode): Promise<void> {
  const { operator: key } = control.keys;
  bodyOf(await control.call("POST", `/v1/nodes/${id}/${what}`, { key }), 200);
}

async function nodeOf({ id }: TestNode): Promise<NodeInfo> {
  const { operator: key } = control.keys;
  const { nodes } = bodyOf(await control.call("GET", "/v1/nodes", { key }), 200);
  return nodes.find((node: NodeInfo) => node.id === id);
}

/** Counts from now on how often a host tells of dry pairs. */
function dryToldBy({ agent }: TestNode): () => number {
  const reporter = agent.registration?.reporter;
  if (!reporter) throw new Error("The host is not registered.");
  const emit = reporter.emit.bind(reporter);
  let told = 0;
  reporter.emit = (event) => {
    if (event.kind === "pairs-dry") told += 1;
    emit(event);
  };
  return () => told;
}

test("a host whose media is cut off is suspect by its peers' word, and one whose source is silent is not", async () => {
  const [left, right] = edges as [TestNode, TestNode];
  const room = await openRoom(control);
  const ann = await enter(control, room.id, "ann");
  const bob = await enter(control, room.id, "bob");
  const cara = await enter(control, room.id, "cara");
  for (const member of [ann, bob, cara]) {
    await ChannelClient.open(control, member).welcomed();
  }
  const { peer } = await live.broadcast(ann);
  for (const [member, other] of [
    [bob, right],
    [cara, left],
  ] as const) {
    await operate("cordon", other);
    const seen = await live.view(member);
    await arrives(seen.peer, seen.watched);
    await operate("uncordon", other);
  }
  const told = edges.map(dryToldBy);
  const bothTell = async () => {
    const before = told.map((count) => count());
    const more = () => told.every((count, at) => count() > (before[at] ?? 0) + 2);
    await waitFor(more, { what: "both hosts to tell of dry pairs" });
  };
  const pid = source.agent.pool.lives[0]?.worker.pid ?? 0;
  process.kill(pid, "SIGSTOP");
  try {
    const isSuspect = async () => (await nodeOf(source)).state === "suspect";
    await waitFor(isSuspect, { what: "its suspicion" });
    expect((await nodeOf(source)).failure?.reason).toBe("its peers get nothing from it");
  } finally {
    process.kill(pid, "SIGCONT");
  }
  const isWell = async () => (await nodeOf(source)).state === "ready";
  await waitFor(isWell, { what: "its recovery" });
  const { at } = (await nodeOf(source)).failure ?? {};
  await peer.vanish();
  await bothTell();
  expect(await nodeOf(source)).toMatchObject({ state: "ready", failure: { at } });
});
