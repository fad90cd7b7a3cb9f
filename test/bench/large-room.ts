import { readFileSync } from "node:fs";
import type { CDPSession } from "playwright-core";
import { findBrowser, startBrowser } from "#test/browser/browser.ts";
import { Person } from "#test/browser/people.ts";
import { RtpGuest } from "#test/browser/rtp-guest.ts";
import { RunningWeir } from "#test/browser/running-weir.ts";
import { noLimits } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { look, makeFrame } from "./large-room-page.ts";
import { type Bench, main, type Row } from "./report.ts";

/** Broadcasters, as `npm start` has points for. */
const sizes = [12, 24, 44];
const picturesMax = 12;
const measureMs = 8000;

/** Processor time of the page's own thread so far, in seconds. */
async function pageSeconds(session: CDPSession) {
  const { metrics } = await session.send("Performance.getMetrics");
  const of = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? 0;
  return { task: of("TaskDuration"), layout: of("LayoutDuration") };
}

/** Processor time of the renderer so far, in seconds: its decoders' threads too. */
async function rendererSeconds(browser: CDPSession): Promise<number> {
  const { processInfo } = await browser.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer");
  const ticks = renderers.map(({ id }) => {
    const [, , , , , , , , , , , , , user, system] = readFileSync(
      `/proc/${id}/stat`,
      "utf8",
    ).split(" ");
    return Number(user) + Number(system);
  });
  return ticks.reduce((sum, one) => sum + one, 0) / 100;
}

const bench: Bench = {
  name: "large-room",
  title: "What one page of a large room carries, in Chromium",
  columns: [
    { key: "broadcasters", title: "broadcasters" },
    { key: "heard", title: "heard" },
    { key: "decoding", title: "pictures decoded" },
    { key: "transports", title: "transports" },
    { key: "consumers", title: "consumers" },
    { key: "tiles", title: "tiles" },
    { key: "enterMs", title: "all heard after ms" },
    { key: "speakerMs", title: "speaker seen after ms" },
    { key: "pageCpuPercent", title: "page CPU %" },
    { key: "rendererCpuPercent", title: "renderer CPU %" },
    { key: "heapMb", title: "heap MB" },
  ],
  async run(_, progress) {
    progress.start(sizes.length);
    const weir = await RunningWeir.start({
      WEIR_PRODUCER_WORKERS: "4",
      WEIR_CONSUMER_WORKERS: "4",
      WEIR_SETTINGS: JSON.stringify({ watching: { picturesMax }, limits: noLimits }),
    });
    const browser = await startBrowser(findBrowser() ?? "");
    const guests: RtpGuest[] = [];
    try {
      const opener = await Person.arrive(browser);
      const link = await opener.openRoom(weir.url, 6);
      const frame = await makeFrame(opener.page);
      await opener.vanish();
      const rows: Row[] = [];
      for (const size of sizes) {
        while (guests.length < size) {
          const name = `Guest ${guests.length + 1}`;
          const guest = await RtpGuest.enter(weir, link.split("/").at(-1) ?? "", name);
          guests.push(guest);
          await guest.goLive(frame);
        }
        rows.push(await measure(await Person.arrive(browser), link, guests));
        progress.step();
      }
      return rows;
    } finally {
      await Promise.all(guests.map((guest) => guest.leave()));
      await browser.close();
      await weir.stop();
    }
  },
  misses: (rows) =>
    rows.flatMap(({ broadcasters, heard, decoding }) => {
      const most = Math.min(Number(broadcasters), picturesMax);
      return [
        ...(heard === broadcasters
          ? []
          : [`Of ${broadcasters} only ${heard} are heard.`]),
        ...(decoding === most ? [] : [`${decoding} pictures are decoded, not ${most}.`]),
      ];
    }),
};

async function measure(
  viewer: Person,
  link: string,
  guests: readonly RtpGuest[],
): Promise<Row> {
  const { page } = viewer;
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const browserSession = await page.context().browser()?.newBrowserCDPSession();
  if (!browserSession) throw new Error("There is no browser.");
  const enteredMs = performance.now();
  await viewer.enter(link, "Viewer");
  const isHeard = async () => (await look(page)).heard === guests.length;
  await waitFor(isHeard, {
    what: "everyone to be heard",
    intervalMs: 500,
    timeoutMs: 60_000,
  });
  const enterMs = Math.round(performance.now() - enteredMs);
  await page.waitForTimeout(3000);
  await look(page);
  const before = await pageSeconds(session);
  const rendererBefore = await rendererSeconds(browserSession);
  await page.waitForTimeout(measureMs);
  const after = await pageSeconds(session);
  const renderer = (await rendererSeconds(browserSession)) - rendererBefore;
  const seen = await look(page);
  const speakerMs = await speakUp(viewer, guests.at(-1));
  if (process.env.WEIR_SCREENSHOT) {
    await page.screenshot({
      path: `${process.env.WEIR_SCREENSHOT}-${guests.length}.png`,
    });
  }
  await viewer.vanish();
  const share = (seconds: number) => Math.round((100_000 * seconds) / measureMs);
  return {
    broadcasters: guests.length,
    heard: seen.heard,
    decoding: seen.decoding.length,
    transports: seen.transports,
    consumers: seen.consumers,
    tiles: seen.tiles,
    enterMs,
    speakerMs,
    pageCpuPercent: share(after.task - before.task),
    rendererCpuPercent: share(renderer),
    heapMb: seen.heapMb,
  };
}

/** Has someone speak, and waits until their picture is decoded. @returns milliseconds */
async function speakUp(viewer: Person, guest: RtpGuest | undefined): Promise<number> {
  if (!guest?.broadcastId) throw new Error("There is nobody to speak.");
  const { broadcastId } = guest;
  const spokeMs = performance.now();
  guest.speak(true);
  await waitFor(async () => (await look(viewer.page)).decoding.includes(broadcastId), {
    what: "the speaker's picture",
    intervalMs: 50,
  });
  guest.speak(false);
  return Math.round(performance.now() - spokeMs);
}

if (import.meta.main) await main(bench);
