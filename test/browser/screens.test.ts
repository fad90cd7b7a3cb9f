import { describe, expect, test } from "vitest";
import { waitFor } from "#test/harness/wait-for.ts";
import { findBrowser, shownTitle } from "./browser.ts";
import { gather } from "./gathering.ts";
import type { PageGlobals } from "./page-globals.ts";
import type { Person } from "./people.ts";

describe.skipIf(!findBrowser())("screens", { timeout: 90_000 }, () => {
  const gathering = gather({ asks: true });

  /** Opens a page whose title makes it the one that is shown. */
  async function openShown(person: Person) {
    const shown = await person.page.context().newPage();
    const body = '<body style="font: 80px sans-serif">Slides<script>let at = 0;';
    const tick =
      'setInterval(() => { document.body.dataset.at = at++; document.body.style.background = at % 2 ? "white" : "wheat" }, 100)';
    await shown.setContent(`<title>${shownTitle}</title>${body}${tick}</script>`);
    await person.page.bringToFront();
    return shown;
  }

  /** Producer and consumer workers in use, by media class. */
  async function inUse() {
    const { nodes, pipes } = await gathering.weir.fleet();
    const workers = nodes.flatMap((node) => node.workers);
    const classOf = (id: string) => workers.find((one) => one.id === id)?.mediaClass;
    return {
      broadcasts: workers
        .filter(({ broadcasts }) => broadcasts.used > 0)
        .map(({ mediaClass }) => mediaClass),
      pipes: pipes.map((pipe) => [
        classOf(pipe.producerWorkerId),
        classOf(pipe.consumerWorkerId),
      ]),
    };
  }

  test("a screen is large beside its owner's camera, comes from workers of its own, and ends with what it shows", async () => {
    const { ada, ben } = await gathering.meet(1, 1);
    const camera = await ada.goLive("go-live");
    const shown = await openShown(ada);
    await ada.find("share-screen").click();
    await ada.page.locator('[data-testid="self-screen"][data-state="live"]').waitFor();
    const large = ben.page.locator('[data-testid="tile"][data-large="true"]');
    await large.waitFor();
    expect(await large.getAttribute("data-media")).toBe("screen");
    await waitFor(
      async () => {
        const pictures = await ben.pictures();
        return pictures.length === 2 && pictures.every(({ frames }) => frames > 5);
      },
      { what: "both pictures to move", timeoutMs: 20_000 },
    );
    const { broadcasts, pipes } = await inUse();
    expect(broadcasts.toSorted()).toEqual(["camera", "screen"]);
    expect(pipes.toSorted()).toEqual([
      ["camera", "camera"],
      ["screen", "screen"],
    ]);
    await large.getByTestId("tile-size").click();
    await large.waitFor({ state: "detached" });
    await shown.close();
    await ada.find("share-screen").waitFor();
    await waitFor(async () => (await ben.pictures()).length === 1, {
      what: "the screen to go",
    });
    expect((await ben.pictures())[0]?.broadcastId).toBe(camera);
    expect(ada.complaints).toEqual([]);
  });

  test("where no screen can be had, that is said before anyone is asked which", async () => {
    const { ada } = await gathering.meet(1);
    await ada.page.evaluate(() => {
      const page = globalThis as unknown as PageGlobals;
      page.asked = 0;
      page.navigator.mediaDevices.getDisplayMedia = () => {
        page.asked += 1;
        return Promise.reject(new Error("Nobody should be asked."));
      };
    });
    await gathering.weir.cordonAll(true);
    try {
      await ada.find("share-screen").click();
      const refused = '[data-testid="status"][data-code="no-screen-capacity"]';
      await ada.page.locator(refused).waitFor();
    } finally {
      await gathering.weir.cordonAll(false);
    }
    const asked = await ada.page.evaluate(
      () => (globalThis as unknown as PageGlobals).asked,
    );
    expect(asked).toBe(0);
  });
});
