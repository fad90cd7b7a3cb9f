import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";

/** What is asked of a WHIP or WHEP server. */
export interface Endpoint {
  url: string;
  key: string;
}

/** What it answered. */
export interface Negotiated {
  status: number;
  location: string;
  etag: string;
  link: string;
  answer: string;
}

interface PageGlobals {
  // biome-ignore lint/suspicious/noExplicitAny: Node's types know no browser.
  pc: any;
  endpoint: Endpoint;
  resource: string;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  negotiate(pc: any, endpoint: Endpoint): Promise<Negotiated>;
}

/** How far a page's connection has come. */
export interface Progress {
  connection: string;
  framesDecoded: number;
  audioPackets: number;
  /** The kind of the local candidate in use: host, srflx, prflx or relay. */
  candidate: string;
}

/**
 * Opens an empty page of another origin than control's: nothing of Weir is on
 * it, so whatever works here works with a browser alone.
 * @param at another address, for a browser that does not reach this machine
 */
export async function openBarePage(browser: Browser, at?: string): Promise<Page> {
  if (at) {
    const page = await (await browser.newContext()).newPage();
    await page.goto(at);
    return page;
  }
  const { url, close } = await serveEmptyPage();
  const page = await (await browser.newContext()).newPage();
  page.once("close", close);
  await page.goto(url);
  return page;
}

/** Serves an empty page on an origin of its own. */
export async function serveEmptyPage(): Promise<{ url: string; close: () => void }> {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>-</title>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}

/** Teaches a page what WHIP and WHEP have in common: offer, ask, take the answer. */
function teachNegotiating(page: Page): Promise<void> {
  return page.evaluate(() => {
    const negotiate: PageGlobals["negotiate"] = async (pc, endpoint) => {
      await pc.setLocalDescription();
      const response = await fetch(endpoint.url, {
        method: "POST",
        headers: {
          authorization: `Bearer ${endpoint.key}`,
          "content-type": "application/sdp",
        },
        body: pc.localDescription.sdp,
      });
      const answer = await response.text();
      if (response.ok) await pc.setRemoteDescription({ type: "answer", sdp: answer });
      const location = response.headers.get("location") ?? "";
      const resource = new URL(location, endpoint.url).href;
      Object.assign(globalThis, { pc, endpoint, resource });
      return {
        status: response.status,
        location,
        etag: response.headers.get("etag") ?? "",
        link: response.headers.get("link") ?? "",
        answer,
      };
    };
    Object.assign(globalThis, { negotiate });
  });
}

/** Publishes the camera that is not there by WHIP. */
export async function publish(
  page: Page,
  endpoint: Endpoint,
  options: { rids?: string[] } = {},
): Promise<Negotiated> {
  await teachNegotiating(page);
  return page.evaluate(
    async ([endpoint, { rids }]) => {
      // biome-ignore lint/suspicious/noExplicitAny: as above.
      const { navigator, RTCPeerConnection, negotiate } = globalThis as any;
      const media = await navigator.mediaDevices.getUserMedia({
        audio: true,
        video: { width: 640, height: 480 },
      });
      const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
      const direction = "sendonly" as const;
      for (const track of media.getTracks()) {
        const layers = track.kind === "video" ? rids : undefined;
        const sendEncodings = layers?.map((rid, at) => ({
          rid,
          scaleResolutionDownBy: 2 ** (layers.length - 1 - at),
        }));
        pc.addTransceiver(track, { direction, streams: [media], sendEncodings });
      }
      return negotiate(pc, endpoint);
    },
    [endpoint, options] as const,
  );
}

/** Plays a broadcast by WHEP. */
export async function play(page: Page, endpoint: Endpoint): Promise<Negotiated> {
  await teachNegotiating(page);
  return page.evaluate((endpoint) => {
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const { RTCPeerConnection, negotiate } = globalThis as any;
    const pc = new RTCPeerConnection();
    for (const kind of ["audio", "video"]) {
      pc.addTransceiver(kind, { direction: "recvonly" });
    }
    return negotiate(pc, endpoint);
  }, endpoint);
}

/**
 * Plays with an offer and an answer that somebody carries for a page which does
 * not reach control.
 */
export async function playThrough(
  page: Page,
  network: { iceServers: unknown[]; relayOnly: boolean },
  carry: (offer: string) => Promise<{ answer: string; location: string }>,
): Promise<string> {
  const offer = await page.evaluate(async ({ iceServers, relayOnly }) => {
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const { RTCPeerConnection } = globalThis as any;
    const pc = new RTCPeerConnection({
      iceServers,
      iceTransportPolicy: relayOnly ? "relay" : "all",
    });
    for (const kind of ["audio", "video"]) {
      pc.addTransceiver(kind, { direction: "recvonly" });
    }
    await pc.setLocalDescription();
    Object.assign(globalThis, { pc });
    return pc.localDescription.sdp as string;
  }, network);
  const { answer, location } = await carry(offer);
  await page.evaluate(async (sdp) => {
    const { pc } = globalThis as unknown as PageGlobals;
    await pc.setRemoteDescription({ type: "answer", sdp });
  }, answer);
  return location;
}

/** Restarts ICE as RFC 9725 has it; answers what the server said. */
export function restartIce(page: Page): Promise<{ status: number; etag: string }> {
  return page.evaluate(async () => {
    const { pc, endpoint, resource } = globalThis as unknown as PageGlobals;
    const attribute = (sdp: string | undefined, name: string) =>
      new RegExp(`^a=${name}:(\\S+)`, "m").exec(sdp ?? "")?.[1] ?? "";
    const offer = await pc.createOffer({ iceRestart: true });
    await pc.setLocalDescription(offer);
    const fragment = ["ice-ufrag", "ice-pwd"]
      .map((name) => `a=${name}:${attribute(offer.sdp, name)}\r\n`)
      .join("");
    const response = await fetch(resource, {
      method: "PATCH",
      headers: {
        authorization: `Bearer ${endpoint.key}`,
        "content-type": "application/trickle-ice-sdpfrag",
        "if-match": "*",
      },
      body: fragment,
    });
    const answered = await response.text();
    const sdp = (pc.currentRemoteDescription?.sdp ?? "")
      .replace(/^a=ice-ufrag:\S+/gm, `a=ice-ufrag:${attribute(answered, "ice-ufrag")}`)
      .replace(/^a=ice-pwd:\S+/gm, `a=ice-pwd:${attribute(answered, "ice-pwd")}`);
    await pc.setRemoteDescription({ type: "answer", sdp });
    return { status: response.status, etag: response.headers.get("etag") ?? "" };
  });
}

/** How far the page's connection has come. */
export function progress(page: Page): Promise<Progress> {
  return page.evaluate(async () => {
    const { pc } = globalThis as unknown as PageGlobals;
    // biome-ignore lint/suspicious/noExplicitAny: reports are of many kinds.
    const stats: any[] = [...(await pc.getStats()).values()];
    const inbound = (kind: string) =>
      stats.find((one) => one.type === "inbound-rtp" && one.kind === kind);
    const transport = stats.find((one) => one.type === "transport");
    const pair = stats.find((one) => one.id === transport?.selectedCandidatePairId);
    const local = stats.find((one) => one.id === pair?.localCandidateId);
    return {
      connection: pc.connectionState,
      framesDecoded: inbound("video")?.framesDecoded ?? 0,
      audioPackets: inbound("audio")?.packetsReceived ?? 0,
      candidate: local?.candidateType ?? "",
    };
  });
}

/** Ends the session as a well-behaved client does. */
export function end(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const { pc, endpoint, resource } = globalThis as unknown as PageGlobals;
    const headers = { authorization: `Bearer ${endpoint.key}` };
    const { status } = await fetch(resource, { method: "DELETE", headers });
    pc.close();
    return status;
  });
}
