import { afterAll, beforeAll, expect, test } from "vitest";
import { stateOf } from "#agent/state.ts";
import type { ConsumerParametersWire } from "#schema/agent/call-results.ts";
import type { Watched } from "#schema/api/media.ts";
import { RtpPeer } from "#test/agent/rtp-peer.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { bodyOf, callAs, enter, leave, type Member, openRoom } from "./api.ts";
import { ChannelClient } from "./channel-client.ts";
import { count, holdings, nothing } from "./ledger.ts";
import { rtpParametersOf, watchBody } from "./media.ts";
import { startNode, type TestNode } from "./node.ts";

/* The whole line: HTTP, broker, mailboxes, two hosts, a pipe between, and RTP. */
let control: Control;
let ingest: TestNode;
let edge: TestNode;
const peers: RtpPeer[] = [];

beforeAll(async () => {
  control = await startControl({ settings: { timing: { pipeLingerMs: 50 } } });
  [ingest, edge] = await Promise.all([
    startNode(control, "ingest", "producer:camera:1"),
    startNode(control, "edge", "consumer:camera:1", { idleTransportMs: 50 }),
  ]);
});
afterAll(async () => {
  await Promise.all(peers.map((peer) => peer.vanish()));
  await Promise.all([ingest.stop(), edge.stop()]);
  await control.stop();
});

async function newPeer(): Promise<RtpPeer> {
  const peer = await RtpPeer.create();
  peers.push(peer);
  return peer;
}

/** A broadcaster that sends real audio and video. */
async function broadcast(member: Member) {
  const peer = await newPeer();
  const path = `/v1/sessions/${member.sessionId}/broadcasts`;
  const body = { media: "camera", dtlsParameters: peer.dtlsParameters };
  const { id, transport } = bodyOf(
    await callAs(control, member, "POST", path, { body }),
    201,
  );
  await peer.connect(transport);
  const tracks: Record<string, string> = {};
  for (const kind of ["audio", "video"] as const) {
    const rtpParameters = rtpParametersOf(kind);
    const source = kind === "audio" ? "microphone" : "camera";
    const answer = await callAs(control, member, "POST", `/v1/broadcasts/${id}/tracks`, {
      body: { kind, source, rtpParameters },
    });
    tracks[kind] = bodyOf(answer, 201).id;
    peer.sendSteadily(kind, rtpParameters.encodings[0]?.ssrc ?? 0);
  }
  return { id, tracks };
}

/** A viewer that receives over one real transport. */
async function view(member: Member) {
  const peer = await newPeer();
  const body = { ...watchBody(member), dtlsParameters: peer.dtlsParameters };
  const path = `/v1/sessions/${member.sessionId}/views`;
  const watched: Watched = bodyOf(
    await callAs(control, member, "POST", path, { body }),
    200,
  );
  const [seen] = watched.views;
  const [transport] = watched.transports;
  if (seen?.status !== "ready" || !transport) throw new Error(JSON.stringify(watched));
  await peer.connect(transport);
  const { consumers } = seen;
  return {
    id: seen.id,
    peer,
    moreOf: (kind: "audio" | "video") => moreOf(peer, consumers, kind),
  };
}

/** Waits for ten more packets of a kind. */
async function moreOf(
  peer: RtpPeer,
  consumers: ConsumerParametersWire[],
  kind: "audio" | "video",
): Promise<void> {
  const consumer = consumers.find((one) => one.kind === kind);
  const ssrc = Number(consumer?.rtpParameters.encodings?.[0]?.ssrc);
  const before = peer.packetsOf(ssrc);
  await waitFor(() => peer.packetsOf(ssrc) >= before + 10, { what: `more ${kind}` });
}

async function edgeTracksPaused(): Promise<boolean[]> {
  const { pipes } = await stateOf(edge.agent);
  return pipes.incoming
    .flatMap(({ tracks }) => tracks.map(({ paused }) => paused))
    .sort();
}

/** The clients' transports on each of the edge's workers. */
async function viewerTransports(): Promise<number[]> {
  const { workers } = await stateOf(edge.agent);
  return workers.map(({ mediasoup }) => mediasoup.transports - mediasoup.pipeTransports);
}

test("media crosses two hosts, obeys its broadcaster, and leaves nothing behind", async () => {
  const room = await openRoom(control);
  const ann = await enter(control, room.id, "ann");
  const bob = await enter(control, room.id, "bob");
  const channel = await ChannelClient.open(control, bob).welcomed();
  await ChannelClient.open(control, ann).welcomed();
  const sent = await broadcast(ann);
  await channel.count("broadcast.started", 1);
  await channel.count("track.added", 1);

  const first = await view(bob);
  await Promise.all([first.moreOf("audio"), first.moreOf("video")]);
  const active = `SELECT count(*) FROM "view" WHERE state = 'active'`;
  await waitFor(() => count(control, active), { what: "the view to be active" });
  await waitFor(() => channel.ownEvents.length > 0, { what: "the viewer to be told" });
  expect(channel.ownEvents).toMatchObject([
    { seq: 1, event: { type: "view.ready", viewId: first.id } },
  ]);
  const open = "SELECT count(*) FROM pipe WHERE state = 'open'";
  await waitFor(() => count(control, open), { what: "the pipe to be open" });
  // The broadcast comes in, its leg goes out and in again, the view goes out.
  const nominal = { leg: 1280, view: 880 };
  expect(await holdings(control)).toMatchObject({
    egressKbps: nominal.leg + nominal.view,
    ingressKbps: 2 * nominal.leg,
  });

  // A second viewer on the open pipe costs a seat, and no other pipe or point.
  const carl = await enter(control, room.id, "carl");
  await ChannelClient.open(control, carl).welcomed();
  const second = await view(carl);
  await Promise.all([second.moreOf("audio"), second.moreOf("video")]);
  expect(await holdings(control)).toMatchObject({
    views: 2,
    points: 1,
    pipes: 1,
    legs: 2,
  });

  // Mute and unmute reach the far host.
  const track = `/v1/broadcasts/${sent.id}/tracks/${sent.tracks.video}`;
  const muted = await callAs(control, ann, "PATCH", track, { body: { paused: true } });
  expect(bodyOf(muted, 200)).toMatchObject({ id: sent.tracks.video, paused: true });
  await channel.count("track.muted", 1);
  await expect.poll(edgeTracksPaused).toEqual([false, true]);
  bodyOf(await callAs(control, ann, "PATCH", track, { body: { paused: false } }), 200);
  await channel.count("track.unmuted", 1);
  await expect.poll(edgeTracksPaused).toEqual([false, false]);
  await first.moreOf("video");

  // A viewer's own wishes are its own.
  const path = `/v1/views/${first.id}`;
  bodyOf(await callAs(control, bob, "PATCH", path, { body: { paused: true } }), 200);
  const { views } = await stateOf(edge.agent);
  expect(views.find(({ viewId }) => viewId === first.id)?.paused).toBe(true);
  expect(views.find(({ viewId }) => viewId === second.id)?.paused).toBe(false);
  expect(await holdings(control)).toMatchObject({ views: 2, points: 1 });
  await second.moreOf("video");
  bodyOf(await callAs(control, bob, "PATCH", path, { body: { paused: false } }), 200);
  await first.moreOf("video");

  // A track that ends is gone for everyone, the other one plays on.
  bodyOf(await callAs(control, ann, "DELETE", track), 200);
  await channel.count("track.removed", 1);
  await expect.poll(edgeTracksPaused).toEqual([false]);
  await second.moreOf("audio");

  // A viewer whose transport closes, and who is still there, gets another seat.
  await first.peer.leave();
  await waitFor(() => channel.ownEvents.length > 1, { what: "bob to be told" });
  expect(channel.ownEvents[1]).toMatchObject({
    seq: 2,
    event: { type: "view.moved", viewId: first.id, oldRunsMs: 0 },
  });
  expect(await holdings(control)).toMatchObject({ views: 2, points: 1 });

  // Leaving closes the session's transport on the host, its client connected or not.
  await leave(control, carl);
  await leave(control, bob);
  await expect.poll(viewerTransports).toEqual([0]);

  const dan = await enter(control, room.id, "dan");
  const observer = await ChannelClient.open(control, dan).welcomed();
  await leave(control, ann);
  await observer.count("broadcast.stopped", 1);
  await leave(control, dan);
  await expect.poll(() => holdings(control)).toEqual(nothing);
  const empty = async () => {
    const states = await Promise.all([ingest, edge].map(({ agent }) => stateOf(agent)));
    return states.every(({ broadcasts, pipes, views: left, workers }) => {
      const records = [...broadcasts, ...pipes.incoming, ...pipes.outgoing, ...left];
      const media = workers.map(({ mediasoup }) => mediasoup);
      const objects = media.map(
        ({ producers, consumers, transports, pipeTransports }) =>
          producers + consumers + transports - pipeTransports,
      );
      return records.length === 0 && objects.every((number) => number === 0);
    });
  };
  await waitFor(empty, { what: "both hosts to hold nothing" });
});

test("a broadcast that ends leaves nothing on its viewers' host, though they stay", async () => {
  const room = await openRoom(control);
  const ann = await enter(control, room.id, "ann");
  const bob = await enter(control, room.id, "bob");
  const channel = await ChannelClient.open(control, bob).welcomed();
  await ChannelClient.open(control, ann).welcomed();
  await broadcast(ann);
  await channel.count("track.added", 1);
  const seen = await view(bob);
  await seen.moreOf("video");
  expect(await viewerTransports()).toEqual([1]);
  await leave(control, ann);
  await expect.poll(viewerTransports).toEqual([0]);
  const { views } = await stateOf(edge.agent);
  expect(views).toEqual([]);
  await leave(control, bob);
  await expect.poll(() => holdings(control)).toEqual(nothing);
});
