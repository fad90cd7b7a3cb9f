import { createHmac } from "node:crypto";
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findBrowser, startBrowser } from "#test/browser/browser.ts";
import { bodyOf, callAs, enter, leave, openRoom, tokenFor } from "#test/control/api.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { end, openBarePage, playThrough, progress, publish } from "./bare-page.ts";
import {
  type HardNetwork,
  hasTurnServer,
  makeHardNetwork,
  startTurnServer,
  type TurnServer,
} from "./hard-network.ts";
import { ObsEncoder } from "./obs-encoder.ts";
import { setStage } from "./stage.ts";

const secret = "a secret that control and coturn share";
// Without root there is no namespace: then the page is told to relay only.
const ready = hasTurnServer() && findBrowser() !== undefined;
const network = ready ? makeHardNetwork() : undefined;
const address = network?.turnAddress ?? ownAddress();
const turn = ready && address ? await startTurnServer(address, secret) : undefined;

/** An address of this machine that is not loopback's, which coturn refuses. */
function ownAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
}

const listen = network?.mediaAddress ?? address ?? "127.0.0.1";
const stage = setStage({
  control: {
    WEIR_TURN_URLS: turn?.url ?? "turn:turn.example.org:3478?transport=udp",
    WEIR_TURN_SECRET: secret,
    WEIR_NODE_ADDRESSES: listen,
    WEIR_ICE_SERVERS: JSON.stringify([{ urls: "stun:stun.example.org" }]),
  },
  agents: { WEIR_LISTEN_IP: listen, WEIR_ANNOUNCED_ADDRESS: listen },
});

interface Server {
  urls: string | string[];
  username: string;
  credential: string;
}

/** Whether a TURN server's name and password are coturn's for an identity. */
function expectGood(servers: Server[], identity: string): void {
  const [stun, turned] = servers;
  expect(stun).toEqual({ urls: "stun:stun.example.org" });
  const [endsAt, name] = turned?.username.split(":") ?? [];
  expect(name).toBe(encodeURIComponent(identity));
  // Good for longer than the credential with which it is renewed.
  expect(Number(endsAt) * 1000).toBeGreaterThan(Date.now() + 2 * 3_600_000);
  const mac = createHmac("sha1", secret).update(turned?.username ?? "");
  expect(turned?.credential).toBe(mac.digest("base64"));
}

afterAll(async () => {
  await turn?.stop();
  network?.remove();
});

test("TURN's time-limited passwords come at entry, with the credential, and as links", async () => {
  const { control } = stage;
  const room = await openRoom(control);
  const member = await enter(control, room.id, "ana: ö");
  expectGood(member.entry.iceServers as unknown as Server[], "ana: ö");
  const path = `/v1/sessions/${member.sessionId}/credential`;
  const renewed = bodyOf(await callAs(control, member, "POST", path), 201);
  expectGood(renewed.iceServers, "ana: ö");
  await leave(control, member);
  const key = await tokenFor(control, room.id, "obs");
  const obs = await ObsEncoder.create();
  const created = await stage.post(`/v1/rooms/${room.id}/whip`, key, obs.offer);
  const links = created.headers.get("link") ?? "";
  const read =
    /<stun:stun\.example\.org>; rel="ice-server", <(turn:[^>]+)>; rel="ice-server"; username="([^"]+)"; credential="([^"]+)"; credential-type="password"/.exec(
      links,
    );
  const [, url = "", username = "", credential = ""] = read ?? [];
  const stun = { urls: "stun:stun.example.org", username: "", credential: "" };
  expectGood([{ urls: stun.urls } as Server, { urls: url, username, credential }], "obs");
  const resource = new URL(created.headers.get("location") ?? "", control.url);
  const headers = { authorization: `Bearer ${key}` };
  expect((await fetch(resource, { method: "DELETE", headers })).status).toBe(200);
  expect(control.logs().join("\n")).not.toContain(credential);
});

describe.skipIf(!turn)("where only TURN gets through (without coturn: skipped)", () => {
  let inside: Awaited<ReturnType<HardNetwork["startBrowser"]>> | undefined;
  const server = turn as TurnServer;

  beforeAll(async () => {
    const path = findBrowser() ?? "";
    inside = await (network?.startBrowser(path) ?? startBrowser(path));
  });
  afterAll(() => inside?.close());

  test("a browser watches a broadcast by relay alone", { timeout: 90_000 }, async () => {
    if (network) {
      expect(network.reaches(network.turnAddress)).toBe(true);
      expect(network.reaches(network.mediaAddress)).toBe(false);
    }
    const { control } = stage;
    const room = await openRoom(control);
    const key = await tokenFor(control, room.id, "ana");
    const sender = await stage.page();
    const whip = new URL(`/v1/rooms/${room.id}/whip`, control.url).href;
    expect((await publish(sender, { url: whip, key })).status).toBe(201);
    const { rows } = await control.database.execute("SELECT id FROM broadcast");
    const path = `/v1/broadcasts/${rows[0]?.id}/whep`;
    if (!inside) throw new Error("There is no browser.");
    const page = await openBarePage(inside, network && "about:blank");
    const member = await enter(control, room.id, "bob");
    const token = await tokenFor(control, room.id, "bob");
    // Control is not reached from inside: its answers are carried in by hand.
    const location = await playThrough(
      page,
      { iceServers: member.entry.iceServers, relayOnly: network === undefined },
      async (offer) => {
        const created = await stage.post(path, token, offer);
        expect(created.status).toBe(201);
        return {
          answer: await created.text(),
          location: created.headers.get("location") ?? "",
        };
      },
    );
    await waitFor(async () => (await progress(page)).framesDecoded > 10, {
      what: "a picture by relay",
      intervalMs: 200,
    });
    expect((await progress(page)).candidate).toBe("relay");
    expect(server.log()).toMatch(/ALLOCATE processed, success/);
    const headers = { authorization: `Bearer ${token}` };
    const resource = new URL(location, control.url);
    expect((await fetch(resource, { method: "DELETE", headers })).status).toBe(200);
    expect(await end(sender)).toBe(200);
    await leave(control, member);
    await stage.allGivenBack();
  });
});
