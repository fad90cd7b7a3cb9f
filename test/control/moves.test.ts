import { afterAll, beforeAll, expect, test } from "vitest";
import type { Watched } from "#schema/api/media.ts";
import type { OwnEvent } from "#schema/events.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { bodyOf, callAs, enter, leave, openRoom } from "./api.ts";
import { ChannelClient } from "./channel-client.ts";
import { holdings } from "./ledger.ts";
import { arrives, LiveMedia } from "./live-media.ts";
import { rtpParametersOf } from "./media.ts";
import { startNode, type TestNode } from "./node.ts";

/* What moves while its media runs: real hosts, real RTP, the API as a client uses it. */
let control: Control;
let ingest: TestNode;
let edge: TestNode;
/** Takes over from the edge. */
let other: TestNode | undefined;
let live: LiveMedia;

beforeAll(async () => {
  control = await startControl();
  live = new LiveMedia(control);
  [ingest, edge] = await Promise.all([
    startNode(control, "ingest", "producer:camera:2"),
    startNode(control, "edge", "consumer:camera:1"),
  ]);
});
afterAll(async () => {
  await live.end();
  await Promise.all([ingest.stop(), edge.stop(), other?.stop()]);
  await control.stop();
});

async function told<Type extends OwnEvent["type"]>(
  channel: ChannelClient,
  type: Type,
): Promise<Extract<OwnEvent, { type: Type }>> {
  const find = () => channel.ownEvents.find(({ event }) => event.type === type)?.event;
  await waitFor(() => find() !== undefined, { what: `${type} to be told` });
  return find() as Extract<OwnEvent, { type: Type }>;
}

async function reconcile() {
  const key = control.keys.operator;
  return bodyOf(await control.call("POST", "/v1/reconcile", { key }), 200);
}

test("a host that drains is left by its viewer with both pictures running, and then goes", async () => {
  const room = await openRoom(control);
  const ann = await enter(control, room.id, "ann");
  const bob = await enter(control, room.id, "bob");
  await ChannelClient.open(control, ann).welcomed();
  const channel = await ChannelClient.open(control, bob).welcomed();
  await live.broadcast(ann);
  const first = await live.view(bob);
  await arrives(first.peer, first.watched);
  await told(channel, "view.ready");
  expect(await reconcile()).toMatchObject({
    drift: [],
    nodes: [
      { reached: true, orphans: 0, missing: 0 },
      { reached: true, orphans: 0, missing: 0 },
    ],
  });

  other = await startNode(control, "other", "consumer:camera:1");
  const drained = edge.agent.drain();
  const moved = await told(channel, "view.moved");
  expect(moved).toMatchObject({ viewId: first.id, oldRunsMs: 10_000 });
  expect(await holdings(control)).toMatchObject({ views: 2, points: 2 });
  const second = await live.view(bob);
  expect(second.id).toBe(moved.toViewId);
  await arrives(second.peer, second.watched);
  await arrives(first.peer, first.watched);
  bodyOf(await callAs(control, bob, "DELETE", `/v1/views/${first.id}`), 200);
  await drained;
  expect(edge.agent.registration?.claims).toBe(0);
  expect(await holdings(control)).toMatchObject({ views: 1, points: 1 });

  // What comes no longer is told, and nobody else may tell it.
  const path = `/v1/views/${second.id}/lost`;
  expect((await callAs(control, ann, "POST", path)).status).toBe(404);
  await leave(control, bob);
  await leave(control, ann);
});

test("a broadcast whose transport is lost is sent again under its id, and its viewer stays", async () => {
  const room = await openRoom(control);
  const ann = await enter(control, room.id, "ann");
  const bob = await enter(control, room.id, "bob");
  await ChannelClient.open(control, ann).welcomed();
  const channel = await ChannelClient.open(control, bob).welcomed();
  const { id, trackId, peer } = await live.broadcast(ann);
  const seen = await live.view(bob);
  await arrives(seen.peer, seen.watched);
  await told(channel, "view.ready");

  const path = `/v1/broadcasts/${id}/transport`;
  await peer.leave();
  await channel.count("broadcast.interrupted", 1);
  // Nothing brings it now; asking costs nobody the seat that they have.
  const views = `/v1/sessions/${bob.sessionId}/views`;
  const early = await callAs(control, bob, "POST", views, { body: seen.body });
  expect(bodyOf(early, 200).views).toMatchObject([{ status: "refused" }]);
  const lost = await callAs(control, bob, "POST", `/v1/views/${seen.id}/lost`);
  expect(bodyOf(lost, 200)).toEqual({ moved: false });
  const next = await live.peer();
  const body = { dtlsParameters: next.dtlsParameters };
  const stranger = await callAs(control, bob, "POST", path, { body });
  expect(stranger.status).toBe(404);
  const { transport } = bodyOf(await callAs(control, ann, "POST", path, { body }), 200);
  const again = bodyOf(await callAs(control, ann, "POST", path, { body }), 200);
  expect(again.transport.id).toBe(transport.id);
  await next.connect(transport);
  const rtpParameters = rtpParametersOf("video");
  const track = `/v1/broadcasts/${id}/tracks/${trackId}`;
  const sent = { body: { rtpParameters } };
  expect((await callAs(control, bob, "PUT", track, sent)).status).toBe(404);
  for (let times = 0; times < 2; times += 1) {
    const answer = await callAs(control, ann, "PUT", track, sent);
    expect(bodyOf(answer, 200)).toMatchObject({ id: trackId, source: "camera" });
  }
  next.sendSteadily("video", rtpParameters.encodings[0]?.ssrc ?? 0);
  await channel.count("broadcast.resumed", 1);
  expect(await told(channel, "view.renewed")).toMatchObject({ viewId: seen.id });
  const synced: Watched = bodyOf(
    await callAs(control, bob, "POST", `/v1/views/${seen.id}/tracks`, {
      body: seen.body,
    }),
    200,
  );
  // On a transport that was there, new consumers wait for their client.
  const [anew] = synced.views;
  const transportId = anew?.status === "ready" ? anew.transportId : "";
  await callAs(control, bob, "POST", `/v1/transports/${transportId}/resume`, {
    body: { views: [seen.id] },
  });
  await arrives(seen.peer, synced);
  expect(await holdings(control)).toMatchObject({ views: 1, points: 1, broadcasts: 1 });
  await leave(control, bob);
  await leave(control, ann);
});

test("the operator empties a host and takes it in again; a stranger does neither", async () => {
  const key = control.keys.operator;
  const path = `/v1/nodes/${ingest.id}`;
  for (const what of ["drain", "uncordon"]) {
    const answer = await control.call("POST", `${path}/${what}`, { key: "wrong-key" });
    expect(answer.status).toBe(401);
  }
  expect((await control.call("POST", "/v1/reconcile", {})).status).toBe(401);
  const short = await control.call("POST", `${path}/drain?withinMs=5`, { key });
  expect([short.status, short.body.code]).toEqual([422, "validation-failed"]);
  const nobody = `/v1/nodes/node_${control.zone}_nobody/drain`;
  expect((await control.call("POST", nobody, { key })).status).toBe(404);
  const begun = await control.call("POST", `${path}/drain?withinMs=60000`, { key });
  expect(bodyOf(begun, 200)).toMatchObject({ nodeId: ingest.id });
  const draining = async () => {
    const { nodes } = bodyOf(await control.call("GET", "/v1/nodes", { key }), 200);
    return nodes.find(({ id }: { id: string }) => id === ingest.id)?.draining;
  };
  expect(await draining()).toBe(true);
  bodyOf(await control.call("POST", `${path}/uncordon`, { key }), 200);
  expect(await draining()).toBe(false);
});

test("what cannot move from a host ends at the drain's deadline with its reason, and comes back when there is room", async () => {
  const key = control.keys.operator;
  const room = await openRoom(control);
  const ann = await enter(control, room.id, "ann");
  const bob = await enter(control, room.id, "bob");
  await ChannelClient.open(control, ann).welcomed();
  const channel = await ChannelClient.open(control, bob).welcomed();
  await live.broadcast(ann);
  const seen = await live.view(bob);
  await arrives(seen.peer, seen.watched);
  await told(channel, "view.ready");
  const path = `/v1/nodes/${other?.id}`;
  bodyOf(await control.call("POST", `${path}/drain?withinMs=1000`, { key }), 200);
  expect(await told(channel, "view.lost")).toMatchObject({
    viewId: seen.id,
    reason: "its host is being drained",
    code: "no-consumer-capacity",
  });
  const left = () => other?.agent.registration?.media.receiving.all.length;
  await waitFor(() => left() === 0, { what: "the host to have closed it" });
  bodyOf(await control.call("POST", `${path}/uncordon`, { key }), 200);
  const { viewId } = await told(channel, "view.granted");
  const [again] = (await live.view(bob)).watched.views;
  expect(again).toMatchObject({ status: "ready", id: viewId });
  await leave(control, bob);
  await leave(control, ann);
});
