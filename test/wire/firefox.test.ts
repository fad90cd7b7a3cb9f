import { networkInterfaces } from "node:os";
import { expect, test } from "vitest";
import { findBrowser } from "#test/browser/browser.ts";
import { openRoom, tokenFor } from "#test/control/api.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { end, publish } from "./bare-page.ts";
import { findFirefox, startFirefox } from "./firefox.ts";
import { setStage } from "./stage.ts";

// Firefox pairs no candidate with a loopback address.
const address =
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address ??
  "127.0.0.1";
const stage = setStage({
  control: { WEIR_NODE_ADDRESSES: address },
  agents: { WEIR_LISTEN_IP: address, WEIR_ANNOUNCED_ADDRESS: address },
});
const firefox = findFirefox();

const play = `async (url, key) => {
  const pc = (globalThis.pc = new RTCPeerConnection());
  for (const kind of ["audio", "video"]) pc.addTransceiver(kind, { direction: "recvonly" });
  pc.ontrack = ({ track }) => {
    const video = Object.assign(document.createElement("video"), { muted: true, autoplay: true });
    video.srcObject = new MediaStream([track]);
    document.documentElement.append(video);
  };
  await pc.setLocalDescription();
  const headers = { authorization: "Bearer " + key, "content-type": "application/sdp" };
  const response = await fetch(url, { method: "POST", headers, body: pc.localDescription.sdp });
  const sdp = await response.text();
  if (!response.ok) return { status: response.status, sdp };
  await pc.setRemoteDescription({ type: "answer", sdp });
  const resource = new URL(response.headers.get("location"), url);
  globalThis.stop = () => fetch(resource, { method: "DELETE", headers: { authorization: headers.authorization } });
  return { status: response.status, sdp };
}`;

const decoded = `async () => {
  const stats = [...(await pc.getStats()).values()].filter(({ type }) => type === "inbound-rtp");
  const of = (kind) => stats.find((one) => one.kind === kind) ?? {};
  return { frames: of("video").framesDecoded ?? 0, packets: of("audio").packetsReceived ?? 0 };
}`;

const hang =
  "async () => { const { status } = await stop(); pc.close(); return status; }";

test.skipIf(!firefox || !findBrowser())(
  "Firefox plays a broadcast of another host by WHEP (without Firefox: skipped)",
  { timeout: 120_000 },
  async () => {
    const { control } = stage;
    const room = await openRoom(control);
    const key = await tokenFor(control, room.id, "ana");
    const sender = await stage.page();
    const whip = new URL(`/v1/rooms/${room.id}/whip`, control.url).href;
    expect((await publish(sender, { url: whip, key })).status).toBe(201);
    const { rows } = await control.database.execute("SELECT id FROM broadcast");
    const url = new URL(`/v1/broadcasts/${rows[0]?.id}/whep`, control.url).href;
    const player = await startFirefox(firefox ?? "");
    try {
      const { status } = await player.run<{ status: number }>(play, url, key);
      expect(status).toBe(201);
      const seen = () => player.run<{ frames: number; packets: number }>(decoded);
      await waitFor(
        async () => {
          const { frames, packets } = await seen();
          return frames > 10 && packets > 20;
        },
        { what: "Firefox to show it", intervalMs: 200 },
      );
      expect(await player.run(hang)).toBe(200);
    } finally {
      await player.stop();
    }
    expect(await end(sender)).toBe(200);
    await stage.allGivenBack();
    await sender.context().close();
  },
);
