import { afterEach, describe, expect, test } from "vitest";
import { RtpPeer } from "#test/agent/rtp-peer.ts";
import { findBrowser } from "#test/browser/browser.ts";
import { openRoom, tokenFor } from "#test/control/api.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { end, play, progress, restartIce } from "./bare-page.ts";
import { ObsEncoder, playerOffer, transportOf } from "./obs-encoder.ts";
import { setStage } from "./stage.ts";
import { playByStock, publishByStock, stopStock } from "./stock-clients.ts";

const stage = setStage();
const whep = (broadcastId: string) => `/v1/broadcasts/${broadcastId}/whep`;
const mirrors = () => stage.receiving.agent.registration?.media.playing.mirrors.count;

afterEach(async () => {
  await stage.allGivenBack();
  await waitFor(() => mirrors() === 0, { what: "the second routers to go" });
});

/** A room with an OBS-shaped stream in it. */
async function streaming() {
  const room = await openRoom(stage.control);
  const key = await tokenFor(stage.control, room.id, "ana");
  const obs = await ObsEncoder.create();
  const created = await stage.post(`/v1/rooms/${room.id}/whip`, key, obs.offer);
  await obs.stream(await created.text());
  return { room, key, obs, broadcastId: await onlyBroadcast(room.id) };
}

async function onlyBroadcast(roomId: string): Promise<string> {
  const { rows } = await stage.control.database.execute({
    sql: "SELECT id FROM broadcast WHERE home_room_id = ?",
    args: [roomId],
  });
  return String(rows[0]?.id);
}

test("a player gets a broadcast of another host under the payload types that it chose", async () => {
  const { room, obs, broadcastId } = await streaming();
  const peer = await RtpPeer.create();
  const token = await tokenFor(stage.control, room.id, "bob", { canPublish: false });
  const types = { opus: 50, h264: 61 };
  const created = await stage.post(whep(broadcastId), token, playerOffer(peer, types));
  expect(created.status).toBe(201);
  const answer = await created.text();
  await peer.connect(transportOf(answer));
  const came = (type: number) =>
    [...peer.received.values()].some(
      ({ payloadType, packets }) => payloadType === type && packets > 20,
    );
  await waitFor(() => came(50) && came(61), { what: "sound and picture" });
  expect([...peer.received.values()].map((one) => one.payloadType).sort()).toEqual([
    50, 61,
  ]);
  const held = await stage.control.database.execute(
    `SELECT s.carrier, s.identity, v.state, w.points_used FROM view v
      JOIN session s ON s.id = v.session_id JOIN worker w ON w.id = v.worker_id`,
  );
  expect(held.rows).toMatchObject([
    { carrier: "whep", identity: "bob", state: "active", points_used: 1 },
  ]);
  const resource = new URL(created.headers.get("location") ?? "", stage.control.url);
  const headers = { authorization: `Bearer ${token}` };
  for (const place of [resource, new URL(whep(broadcastId), stage.control.url)]) {
    expect((await fetch(place, { headers })).status).toBe(204);
  }
  const stop = () => fetch(resource, { method: "DELETE", headers });
  expect((await stop()).status).toBe(200);
  expect((await stop()).status).toBe(404);
  await obs.peer.leave();
  await peer.vanish();
});

test("a player whose worker dies is given back, and may come again", async () => {
  const { room, obs, broadcastId } = await streaming();
  const token = await tokenFor(stage.control, room.id, "bob");
  const come = async () => {
    const peer = await RtpPeer.create();
    const offer = playerOffer(peer, { opus: 111, h264: 102 });
    const created = await stage.post(whep(broadcastId), token, offer);
    expect(created.status).toBe(201);
    await peer.connect(transportOf(await created.text()));
    const packets = () => [...peer.received.values()].some((one) => one.packets > 20);
    await waitFor(packets, { what: "the stream" });
    return peer;
  };
  const first = await come();
  const { database } = stage.control;
  const { rows } = await database.execute("SELECT worker_id FROM view");
  const ordinal = Number(String(rows[0]?.worker_id).split("_").at(-1));
  const { lives } = stage.receiving.agent.pool;
  const life = lives.find((one) => one.ordinal === ordinal);
  process.kill(life?.worker.pid ?? 0, "SIGKILL");
  const players = "SELECT count(*) AS n FROM session WHERE carrier = 'whep'";
  const gone = async () => Number((await database.execute(players)).rows[0]?.n) === 0;
  await waitFor(gone, { what: "the player's session to end" });
  const second = await come();
  await second.leave();
  await waitFor(gone, { what: "the second player's session to end" });
  await obs.peer.leave();
  await first.vanish();
});

test("what cannot be played is refused, says why, and holds nothing", async () => {
  const { room, obs, broadcastId } = await streaming();
  const { control } = stage;
  const peer = await RtpPeer.create();
  const offer = playerOffer(peer, { opus: 111, h264: 102 });
  const token = await tokenFor(control, room.id, "bob");
  const tried = async (path: string, key: string, body: string, type?: string) => {
    const answer = await stage.post(path, key, body, type);
    const { code, detail } = (await answer.json()) as Record<string, string>;
    return { status: answer.status, code, detail };
  };
  const path = whep(broadcastId);
  const json = await tried(path, token, offer, "application/json");
  expect(json).toMatchObject({ status: 415, code: "unsupported-media-type" });
  const unfit: [body: string, says: RegExp][] = [
    ["v=0\r\n", /no m= section/],
    [offer.replaceAll("recvonly", "sendonly"), /recvonly/],
    [offer.replaceAll(/opus|H264/g, "G722"), /none of/],
  ];
  for (const [body, says] of unfit) {
    expect(await tried(path, token, body)).toMatchObject({
      status: 422,
      code: "validation-failed",
      detail: expect.stringMatching(says),
    });
  }
  const elsewhere = await openRoom(control);
  const stranger = await tokenFor(control, elsewhere.id, "eve");
  expect(await tried(path, stranger, offer)).toMatchObject({ status: 404 });
  const mute = await tokenFor(control, room.id, "mo", { canSubscribe: false });
  expect(await tried(path, mute, offer)).toMatchObject({ code: "forbidden" });
  const absent = whep(`broadcast_${control.zone}_nothing`);
  expect(await tried(absent, token, offer)).toMatchObject({ code: "not-found" });
  await obs.peer.leave();
  await peer.vanish();
});

describe.skipIf(!findBrowser())(
  "browsers with no code of ours",
  { timeout: 90_000 },
  () => {
    test("a stock client publishes, a stock client and a bare page play, on seats of one point; ICE restarts; all is given back", async () => {
      const { control } = stage;
      const room = await openRoom(control);
      const key = await tokenFor(control, room.id, "ana");
      const sender = await stage.page();
      const whip = new URL(`/v1/rooms/${room.id}/whip`, control.url).href;
      await publishByStock(sender, { url: whip, key });
      const url = new URL(whep(await onlyBroadcast(room.id)), control.url).href;
      const [bare, stock] = [await stage.page(), await stage.page()];
      const complaints: string[] = [];
      for (const page of [sender, stock]) {
        page.on("pageerror", (error) => complaints.push(String(error)));
      }
      expect((await play(bare, { url, key })).status).toBe(201);
      await playByStock(stock, { url, key });
      for (const page of [bare, stock]) {
        await waitFor(
          async () => {
            const { framesDecoded, audioPackets } = await progress(page);
            return framesDecoded > 10 && audioPackets > 20;
          },
          { what: "picture and sound", intervalMs: 100 },
        );
      }
      expect(mirrors()).toBe(1);
      const { rows } = await control.database.execute(
        "SELECT sum(points_used) AS points, (SELECT count(*) FROM view) AS views FROM worker",
      );
      expect(rows).toMatchObject([{ points: 1, views: 2 }]);
      expect((await restartIce(bare)).status).toBe(200);
      const { framesDecoded: before } = await progress(bare);
      await waitFor(async () => (await progress(bare)).framesDecoded > before + 10, {
        what: "the picture after the restart",
        intervalMs: 100,
      });
      expect(await end(bare)).toBe(200);
      for (const page of [stock, sender]) await stopStock(page);
      expect(complaints).toEqual([]);
      for (const page of [bare, stock, sender]) await page.context().close();
    });
  },
);
