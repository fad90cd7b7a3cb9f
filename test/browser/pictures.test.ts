import { describe, expect, test } from "vitest";
import { waitFor } from "#test/harness/wait-for.ts";
import { findBrowser } from "./browser.ts";
import { gather } from "./gathering.ts";
import type { PageGlobals } from "./page-globals.ts";
import type { Person } from "./people.ts";

/** As the page generates it; how much of it arrives depends on the machine as well. */
const testPictureHeight = 540;

/** Which layer of the first view's picture arrives, and how high the picture is. */
function received({ page }: Person) {
  return page.evaluate(() => {
    const { weir, document } = globalThis as unknown as PageGlobals;
    const [view] = weir.room?.views.values() ?? [];
    const height = document.querySelector('[data-testid="tile"] video')?.videoHeight ?? 0;
    return { layer: view?.receiving.spatialLayer, height };
  });
}

/** The codec in which the first view's picture arrives. */
function codecReceived({ page }: Person) {
  return page.evaluate(async () => {
    const { weir } = globalThis as unknown as PageGlobals;
    const [stats] = (await weir.room?.stats())?.views.values() ?? [];
    return stats?.codec;
  });
}

/** How many layers of the own picture are sent. */
function layersSent({ page }: Person): Promise<number> {
  return page.evaluate(async () => {
    const { weir } = globalThis as unknown as PageGlobals;
    const [publication] = weir.room?.publications ?? [];
    const entries = [...((await publication?.getStats("video")) ?? new Map()).values()];
    return entries.filter(({ type, active }) => type === "outbound-rtp" && active).length;
  });
}

describe.skipIf(!findBrowser())("pictures", { timeout: 90_000 }, () => {
  const gathering = gather();

  test("the layer follows the size at which a picture is shown, and layers that nobody watches are not sent", async () => {
    const { ada, ben } = await gathering.meet(1, 1);
    await ada.goLive("go-live");
    await ben.seesMoving(1);
    const what = "the best layer of a large picture";
    const large = await waitFor(
      async () => {
        const now = await received(ben);
        return now.layer === 2 && (await layersSent(ada)) === 3 ? now : undefined;
      },
      { what, timeoutMs: 30_000 },
    );
    await ben.page.setViewportSize({ width: 200, height: 600 });
    const small = await waitFor(
      async () => {
        const now = await received(ben);
        return now.layer === 0 && now.height * 2 < large.height ? now : undefined;
      },
      { what: "the smallest layer of a small picture", timeoutMs: 20_000 },
    );
    await waitFor(async () => (await layersSent(ada)) === 1, {
      what: "the layers above to be sent no more",
      timeoutMs: 20_000,
    });
    await ben.page.setViewportSize({ width: 1280, height: 800 });
    await ben.find("numbers-toggle").click();
    await ben
      .find("tile")
      .getByText(/[1-9]\d* kbit\/s/)
      .waitFor();
    await ben
      .find("tile")
      .getByText(/host-b · \d/)
      .waitFor();
    await waitFor(
      async () => {
        const { height } = await received(ben);
        return height > small.height && (await layersSent(ada)) === 3;
      },
      { what: "a larger picture again", timeoutMs: 30_000 },
    );
    await ben.seesMoving(1);
  });

  const codecs = [
    { codec: "h264", layers: 3 },
    { codec: "vp9", layers: 3 },
    { codec: "av1", layers: 1 },
  ] as const;

  test.each(codecs)(
    "a room of $codec shows it to a viewer on another host, in $layers layers",
    async ({ codec, layers }) => {
      const { ada, ben } = await gathering.meet(1, 1, codec);
      await ada.goLive("go-live-test");
      await ben.seesMoving(1);
      expect((await codecReceived(ben))?.toLowerCase()).toBe(codec);
      await waitFor(async () => ((await received(ben)).layer ?? 0) === layers - 1, {
        what: `the best layer of ${codec}`,
        timeoutMs: 90_000,
      });
      await ben.page.setViewportSize({ width: 200, height: 600 });
      await waitFor(
        async () => {
          const { layer, height } = await received(ben);
          return layers === 1 || (layer === 0 && height * 2 < testPictureHeight);
        },
        { what: `the smallest layer of ${codec}`, timeoutMs: 60_000 },
      );
      await ben.seesMoving(1);
    },
    // A machine that is busy takes its time to encode the best layer.
    200_000,
  );

  test("a mute is seen by a viewer whose pictures come from another host", async () => {
    const { ada, ben } = await gathering.meet(1, 1);
    await ada.goLive("go-live-test");
    await ben.seesMoving(1);
    await ben.page.evaluate(() => {
      const page = globalThis as unknown as PageGlobals;
      page.weir.room?.on("broadcast.changed", () => {
        page.changedAtMs = Date.now();
      });
    });
    const clickedAtMs = await ada.page.evaluate(() => {
      const { document } = globalThis as unknown as PageGlobals;
      document.querySelector('[data-testid="toggle-camera"]')?.click();
      return Date.now();
    });
    await ben.find("tile").getByText("The picture is hidden").waitFor();
    const seenAtMs = await ben.page.evaluate(
      () => (globalThis as unknown as PageGlobals).changedAtMs,
    );
    console.info(`A mute was seen on another host after ${seenAtMs - clickedAtMs} ms.`);
    expect(seenAtMs).toBeGreaterThanOrEqual(clickedAtMs);
  });
});
