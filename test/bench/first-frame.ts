import type { Page } from "playwright-core";
import { findBrowser, Person, startBrowser } from "#test/browser/people.ts";
import { RunningWeir } from "#test/browser/running-weir.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { type Bench, main, type Row } from "./report.ts";

const cases = ["open-pipe", "new-pipe"] as const;

const bench: Bench = {
  name: "first-frame",
  title:
    "From the click on Watch to the first decoded frame, in Chromium, across two hosts.",
  columns: [
    { key: "case", title: "case" },
    { key: "runs", title: "runs" },
    { key: "p50Ms", title: "p50 ms", digits: 0 },
    { key: "p99Ms", title: "p99 ms", digits: 0 },
    { key: "requestP50Ms", title: "of it the request, p50 ms", digits: 0 },
  ],
  async run({ long }, progress) {
    const runs = long ? 30 : 12;
    progress.start(cases.length * runs);
    const executable = findBrowser();
    if (!executable) throw new Error("There is no Chromium: apt-get install chromium");
    const weir = await RunningWeir.start();
    // A browser each, as a viewer's encoder is not on the viewer's machine.
    const browsers = await Promise.all([1, 2, 3].map(() => startBrowser(executable)));
    try {
      const [ana, ben, cara] = await Promise.all(
        browsers.map((browser) => Person.arrive(browser)),
      );
      if (!ana || !ben || !cara) throw new Error("A page is missing.");
      const roomUrl = await ana.openRoom(weir.url, 1);
      await ana.enterHere("ana");
      const broadcastId = await ana.goLive("go-live");
      await ben.enter(roomUrl, "ben");
      await sees(ben, broadcastId);
      const rows: Row[] = [];
      for (const one of cases) {
        if (one === "open-pipe") {
          await cara.enter(roomUrl, "cara");
          await sees(cara, broadcastId);
        } else await cara.page.close();
        const figures: Figures[] = [];
        for (let run = 0; run < runs; run += 1) {
          await unwatch(ben.page, broadcastId);
          if (one === "new-pipe") await pipesClosed(weir);
          figures.push(await watchOnce(ben.page, broadcastId));
          progress.step();
        }
        const total = figures.map(({ totalMs }) => totalMs).sort((a, b) => a - b);
        const request = figures.map(({ requestMs }) => requestMs).sort((a, b) => a - b);
        rows.push({
          case: one,
          runs,
          p50Ms: at(total, 0.5),
          p99Ms: at(total, 0.99),
          requestP50Ms: at(request, 0.5),
        });
      }
      return rows;
    } finally {
      await Promise.all(browsers.map((browser) => browser.close()));
      await weir.stop();
    }
  },
  misses: (rows) =>
    rows
      .filter((row) => Number(row.p50Ms) > (row.case === "open-pipe" ? 200 : 450))
      .map(
        (row) => `${row.case} takes ${Math.round(Number(row.p50Ms))} ms at the median.`,
      ),
};

interface Figures {
  totalMs: number;
  requestMs: number;
}

/** The page's own globals: these tests are compiled without the browser's types. */
interface PageWindow {
  weir: {
    room?: {
      watch(ids: string[], requestedAtMs: number): PageView[];
      unwatch(ids: string[]): void;
      views: ReadonlyMap<string, PageView>;
    };
  };
  document: {
    createElement(name: "video"): PageVideo;
    body: { append(v: PageVideo): void };
  };
  requestAnimationFrame(callback: () => void): void;
}

interface PageVideo {
  muted: boolean;
  autoplay: boolean;
  remove(): void;
}

interface PageView {
  requestedAtMs: number;
  firstFrameAtMs?: number;
  attach(video: PageVideo): () => void;
}

function unwatch(page: Page, broadcastId: string): Promise<void> {
  return page.evaluate((id) => {
    (globalThis as unknown as PageWindow).weir.room?.unwatch([id]);
  }, broadcastId);
}

function sees(person: Person, broadcastId: string): Promise<boolean> {
  return waitFor(
    async () => {
      const pictures = await person.pictures();
      return pictures.some((one) => one.broadcastId === broadcastId && one.frames > 0);
    },
    { what: "the picture", timeoutMs: 30_000 },
  );
}

/** One click on Watch, timed by the page itself. */
function watchOnce(page: Page, broadcastId: string): Promise<Figures> {
  return page.evaluate(async (id) => {
    const { weir, document, requestAnimationFrame } = globalThis as unknown as PageWindow;
    const { room } = weir;
    if (!room) throw new Error("There is no room.");
    performance.clearResourceTimings();
    const video = document.createElement("video");
    video.muted = true;
    video.autoplay = true;
    document.body.append(video);
    const [view] = room.watch([id], performance.now());
    if (!view) throw new Error("The broadcast is not there.");
    const detach = view.attach(video);
    while (view.firstFrameAtMs === undefined) {
      await new Promise<void>((resolve) => requestAnimationFrame(resolve));
    }
    detach();
    video.remove();
    const request = performance
      .getEntriesByType("resource")
      .find((entry) => entry.name.endsWith("/views"));
    return {
      totalMs: view.firstFrameAtMs - view.requestedAtMs,
      requestMs: request?.duration ?? 0,
    };
  }, broadcastId);
}

function pipesClosed(weir: RunningWeir): Promise<boolean> {
  return waitFor(async () => (await weir.fleet()).pipes.length === 0, {
    what: "the pipe to close after its linger",
    timeoutMs: 15_000,
  });
}

function at(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

if (import.meta.main) await main(bench);

export default bench;
