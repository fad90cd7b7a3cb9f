import { describe, expect, test } from "vitest";
import { findBrowser } from "#test/browser/browser.ts";
import { bodyOf, callAs, enter, leave, openRoom, tokenFor } from "#test/control/api.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { end, progress, publish, restartIce } from "./bare-page.ts";
import { ObsEncoder, obsOffer } from "./obs-encoder.ts";
import { setStage, watchAll } from "./stage.ts";

const stage = setStage();
const whip = (roomId: string) => `/v1/rooms/${roomId}/whip`;

test("an encoder with OBS's habits is seen on another host, and its DELETE gives all back", async () => {
  const { control } = stage;
  const room = await openRoom(control);
  const host = await enter(control, room.id, "ana");
  const path = `/v1/sessions/${host.sessionId}/stream-keys`;
  const made = bodyOf(await callAs(control, host, "POST", path), 201);
  expect(made).toMatchObject({ path: whip(room.id), maxKbps: { camera: 1280 } });
  const obs = await ObsEncoder.create();
  const created = await stage.post(made.path, made.key, obs.offer);
  expect(created.status).toBe(201);
  const resource = created.headers.get("location") ?? "";
  expect(resource).toMatch(new RegExp(`^${whip(room.id)}/session_`));
  expect(created.headers.get("etag")).toMatch(/^"\w+"$/);
  expect(created.headers.get("content-type")).toBe("application/sdp");
  await obs.stream(await created.text());

  const viewer = await watchAll(stage, room.id);
  const [broadcast] = viewer.member.entry.broadcasts;
  expect(broadcast).toMatchObject({ identity: "ana", media: "camera" });
  expect(broadcast?.tracks.map(({ source }) => source)).toEqual(["microphone", "camera"]);
  for (const kind of ["audio", "video"] as const) {
    const came = () => viewer.peer.packetsOf(viewer.ssrcOf(kind)) > 20;
    await waitFor(came, { what: `${kind} of the encoder` });
  }
  const frame = viewer.peer.received.get(viewer.ssrcOf("video"))?.payloads[0];
  expect(frame?.[0]).toBe(0x67);

  const headers = { authorization: `Bearer ${made.key}` };
  // There is nothing to read, which is no error (RFC 9725, section 4.1).
  for (const path of [made.path, resource]) {
    const read = await fetch(new URL(path, control.url), { headers });
    expect([path, read.status, await read.text()]).toEqual([path, 204, ""]);
  }
  const gone = () => fetch(new URL(resource, control.url), { method: "DELETE", headers });
  expect((await gone()).status).toBe(200);
  expect((await gone()).status).toBe(404);
  await stage.allGivenBack();
  await obs.peer.vanish();
  await viewer.peer.vanish();
});

test("an encoder that leaves without a DELETE gives all back when its transport is gone", async () => {
  const room = await openRoom(stage.control);
  const key = await tokenFor(stage.control, room.id, "ana", { canSubscribe: false });
  const obs = await ObsEncoder.create();
  const created = await stage.post(whip(room.id), key, obs.offer);
  await obs.stream(await created.text());
  const carried = `SELECT 1 FROM session s WHERE NOT EXISTS
    (SELECT 1 FROM deadline d WHERE d.key = s.id) AND s.carrier = 'whip'`;
  const lives = async () => (await stage.control.database.execute(carried)).rows.length;
  await waitFor(lives, { what: "the session to live by its transport" });
  await obs.peer.leave();
  await stage.allGivenBack();
});

test("a stream key publishes, and opens nothing else", async () => {
  const { control } = stage;
  const room = await openRoom(control);
  const other = await openRoom(control);
  const host = await enter(control, room.id, "ana");
  const path = `/v1/sessions/${host.sessionId}/stream-keys`;
  const { key } = bodyOf(await callAs(control, host, "POST", path), 201);
  const { offer } = await ObsEncoder.create();
  expect((await stage.post(whip(other.id), key, offer)).status).toBe(404);
  const entering = await control.call("POST", `/v1/rooms/${room.id}/sessions`, {
    key,
    body: {},
  });
  expect(entering.status).toBe(401);
  const viewer = await enter(control, room.id, "bob", { canPublish: false });
  const refused = await callAs(
    control,
    viewer,
    "POST",
    `/v1/sessions/${viewer.sessionId}/stream-keys`,
  );
  expect([refused.status, refused.body.code]).toEqual([403, "forbidden"]);
  await leave(control, host);
});

describe("what cannot be taken", () => {
  const fingerprint = Array(32).fill("AB").join(":");
  const good = obsOffer(fingerprint, { ufrag: "abcd", pwd: "a".repeat(24) });
  const without = (line: RegExp) => good.replace(line, "");
  const bad: [what: string, offer: string, says: RegExp][] = [
    ["nothing", "", /begin with v=0/],
    ["no SDP", "hello", /begin with v=0/],
    ["no media", good.slice(0, good.indexOf("m=audio")), /no m= section/],
    ["no fingerprint", without(/a=fingerprint.*\r\n/), /a=fingerprint/],
    ["no ICE", without(/a=ice-ufrag.*\r\n/), /a=ice-ufrag/],
    ["no setup", without(/a=setup.*\r\n/), /a=setup/],
    ["no bundle", without(/a=group:BUNDLE.*\r\n/), /a=group:BUNDLE/],
    ["no mid", without(/a=mid:1\r\n/), /video section has no a=mid/],
    ["no SSRC", without(/a=ssrc:3000002.*\r\n/g), /neither a=ssrc nor the MID/],
    ["a receiver", good.replaceAll("sendonly", "recvonly"), /sendonly/],
    ["plain RTP", good.replaceAll("UDP/TLS/RTP/SAVPF", "RTP/AVP"), /DTLS-SRTP/],
    ["another codec", good.replaceAll("H264", "H266"), /H266.* none is spoken here: VP8/],
    ["two cameras", good + good.slice(good.indexOf("m=video")), /2 video sections/],
  ];

  test.each(bad)(
    "%s is refused with 422, says why, and holds nothing",
    async (...row) => {
      const [, offer, says] = row;
      const { control } = stage;
      const room = await openRoom(control);
      const key = await tokenFor(control, room.id, "ana");
      const answer = await stage.post(whip(room.id), key, offer);
      const body = (await answer.json()) as { code: string; detail: string };
      expect([answer.status, body.code]).toEqual([422, "validation-failed"]);
      expect(body.detail).toMatch(says);
      await stage.allGivenBack();
    },
  );

  test("a body that is no offer is 415, a token that may not publish 403, no place 409 or 503", async () => {
    const { control } = stage;
    const room = await openRoom(control);
    const key = await tokenFor(control, room.id, "ana");
    const tried = async (path: string, bearer: string, type?: string) => {
      const answer = await stage.post(path, bearer, good, type);
      return [answer.status, ((await answer.json()) as { code: string }).code];
    };
    const unsupported = [415, "unsupported-media-type"];
    expect(await tried(whip(room.id), key, "application/json")).toEqual(unsupported);
    const watching = await tokenFor(control, room.id, "bob", { canPublish: false });
    expect(await tried(whip(room.id), watching)).toEqual([403, "forbidden"]);
    const screen = `${whip(room.id)}?media=screen`;
    expect(await tried(screen, key)).toEqual([503, "no-screen-capacity"]);
    const chat = await openRoom(control, { tier: 0 });
    const chatting = await tokenFor(control, chat.id, "ana");
    const exceeded = [409, "tier-broadcasts-exceeded"];
    expect(await tried(whip(chat.id), chatting)).toEqual(exceeded);
    await control.call("DELETE", `/v1/rooms/${room.id}`, { key: control.keys.api });
    expect(await tried(whip(room.id), key)).toEqual([409, "room-closed"]);
    await stage.allGivenBack();
  });
});

describe.skipIf(!findBrowser())(
  "a browser with no code of ours",
  { timeout: 90_000 },
  () => {
    test("publishes from another origin, restarts ICE and goes on, and ends", async () => {
      const { control } = stage;
      const room = await openRoom(control);
      const key = await tokenFor(control, room.id, "ana");
      const page = await stage.page();
      const url = new URL(whip(room.id), control.url).href;
      const created = await publish(page, { url, key });
      expect(created.status).toBe(201);
      const viewer = await watchAll(stage, room.id);
      const came = () => viewer.peer.packetsOf(viewer.ssrcOf("video"));
      await waitFor(() => came() > 50, { what: "the browser's camera" });

      const fragment = async (ifMatch?: string) => {
        const answer = await fetch(new URL(created.location, control.url), {
          method: "PATCH",
          headers: {
            authorization: `Bearer ${key}`,
            "content-type": "application/trickle-ice-sdpfrag",
            ...(ifMatch ? { "if-match": ifMatch } : {}),
          },
          body: "a=mid:0\r\na=candidate:1 1 udp 2113937151 192.0.2.1 9 typ host\r\n",
        });
        // A tag comes with what is new after a restart, and with nothing else.
        expect(answer.headers.get("etag")).toBeNull();
        return answer.status;
      };
      expect(await fragment()).toBe(428);
      expect(await fragment(`"${"x".repeat(5000)}"`)).toBe(412);
      expect(await fragment(created.etag)).toBe(204);
      const restarted = await restartIce(page);
      expect(restarted.status).toBe(200);
      expect(restarted.etag).not.toBe(created.etag);
      expect(await fragment(created.etag)).toBe(412);
      expect(await fragment(restarted.etag)).toBe(204);
      // Checks under the new parameters have to have come through.
      const { transports } = stage.sending.agent.registration?.media ?? {};
      const ufrag = restarted.etag.replaceAll('"', "");
      await waitFor(
        async () => {
          const own = transports?.all.find(
            ({ webRtc }) => webRtc.iceParameters.usernameFragment === ufrag,
          );
          const before = came();
          const connected = (await progress(page)).connection === "connected";
          return connected && own?.webRtc.iceState === "completed" && came() > before;
        },
        { what: "media after the restart", intervalMs: 200 },
      );
      expect(await end(page)).toBe(200);
      await stage.allGivenBack();
      await page.context().close();
      await viewer.peer.vanish();
    });

    test("sends three layers by simulcast, of which a viewer on another host gets one", async () => {
      const { control } = stage;
      const room = await openRoom(control);
      const key = await tokenFor(control, room.id, "ana");
      const page = await stage.page();
      const url = new URL(whip(room.id), control.url).href;
      expect((await publish(page, { url, key }, { rids: ["q", "h", "f"] })).status).toBe(
        201,
      );
      const [sent] = stage.sending.agent.registration?.media.sending.all ?? [];
      const producers = [...(sent?.tracks.values() ?? [])].map(
        ({ producer }) => producer,
      );
      const video = producers.find(({ kind }) => kind === "video");
      expect(video?.type).toBe("simulcast");
      expect(video?.rtpParameters.encodings?.map(({ rid }) => rid)).toEqual([
        "q",
        "h",
        "f",
      ]);
      const viewer = await watchAll(stage, room.id);
      const came = () => viewer.peer.packetsOf(viewer.ssrcOf("video")) > 20;
      await waitFor(came, { what: "a layer" });
      expect(await end(page)).toBe(200);
      await stage.allGivenBack();
      await page.context().close();
      await viewer.peer.vanish();
    });
  },
);
