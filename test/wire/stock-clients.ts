import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import type { Endpoint } from "./bare-page.ts";

const clients = [
  ["WHIPClient", import.meta.resolve("whip-whep/whip.js")],
  ["WHEPClient", import.meta.resolve("whip-whep/whep.js")],
] as const;

interface PageGlobals {
  // biome-ignore lint/suspicious/noExplicitAny: Node's types know no browser.
  [name: string]: any;
}

/** Loads the clients of the package whip-whep into a page; they know nothing of Weir. */
async function load(page: Page): Promise<void> {
  for (const [name, url] of clients) {
    const source = readFileSync(fileURLToPath(url), "utf8");
    const content = `${source}\nglobalThis.${name} = ${name};`;
    await page.addScriptTag({ type: "module", content });
    await page.waitForFunction((one) => one in globalThis, name);
  }
}

/** Publishes the camera that is not there with a stock WHIP client. */
export async function publishByStock(page: Page, endpoint: Endpoint): Promise<void> {
  await load(page);
  await page.evaluate(async ({ url, key }) => {
    const { navigator, RTCPeerConnection, WHIPClient } = globalThis as PageGlobals;
    const media = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    for (const track of media.getTracks()) {
      pc.addTransceiver(track, { direction: "sendonly", streams: [media] });
    }
    const client = new WHIPClient();
    await client.publish(pc, url, key);
    Object.assign(globalThis, { pc, client });
  }, endpoint);
}

/** Plays a broadcast with a stock WHEP client. */
export async function playByStock(page: Page, endpoint: Endpoint): Promise<void> {
  await load(page);
  await page.evaluate(async ({ url, key }) => {
    const { RTCPeerConnection, WHEPClient } = globalThis as PageGlobals;
    const pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    pc.addTransceiver("audio", { direction: "recvonly" });
    pc.addTransceiver("video", { direction: "recvonly" });
    const client = new WHEPClient();
    await client.view(pc, url, key);
    Object.assign(globalThis, { pc, client });
  }, endpoint);
}

/** Stops the page's stock client, as its users do. */
export async function stopStock(page: Page): Promise<void> {
  await page.evaluate(() => (globalThis as PageGlobals).client.stop());
}
