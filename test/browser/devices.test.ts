import { describe, expect, test } from "vitest";
import { waitFor } from "#test/harness/wait-for.ts";
import { findBrowser, openShown } from "./browser.ts";
import { gather } from "./gathering.ts";
import type { PageGlobals } from "./page-globals.ts";

describe.skipIf(!findBrowser())("screens and devices", { timeout: 90_000 }, () => {
  const gathering = gather({ asks: true });

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
    const shown = await openShown(ada.page);
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

  test("one who began with the microphone adds a camera, loses it and turns it on again, and others see each of it", async () => {
    const { ada, ben } = await gathering.meet(1, 1);
    await ada.find("go-live-sound").click();
    await ada.page.locator('[data-testid="self-tile"][data-state="live"]').waitFor();
    const tile = ben.find("tile");
    await tile.getByText("Sound only").waitFor();
    await ada.find("add-camera").click();
    await ben.seesMoving(1);
    expect(await tile.locator(".cover").count()).toBe(0);

    // A tab stands in for a camera, since closing it ends its track as unplugging does.
    const shown = await openShown(ada.page);
    await ada.page.evaluate(async () => {
      const { weir, navigator } = globalThis as unknown as PageGlobals;
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: true });
      const [publication] = weir.room?.publications ?? [];
      await publication?.setTrack(stream.getVideoTracks()[0]);
    });
    await ben.seesMoving(1);
    await shown.close();
    await tile.getByText("The picture is hidden").waitFor();
    const status = ada.find("status");
    await status.getByText("Your camera was unplugged").waitFor();
    await ada.find("add-camera").click();
    await ben.seesMoving(1);
    await status.getByText("You are live").waitFor();

    await ada.find("devices-toggle").click();
    const cameras = ada.find("camera-select");
    await waitFor(async () => (await cameras.locator("option").count()) > 1, {
      what: "the cameras to be listed",
    });
    await cameras.selectOption("");
    await tile.getByText("Sound only").waitFor();
    expect([...ada.complaints, ...ben.complaints]).toEqual([]);
  });

  test("one whose browser refuses the camera reads so, with what helps, and others see nothing", async () => {
    const ada = await gathering.arrive(undefined, []);
    const link = await ada.openRoom(gathering.weir.url, 1);
    await ada.enter(link, "Ada");
    await ada.find("go-live").click();
    const refused = ada.page.locator(
      '[data-testid="status"][data-code="device-refused"]',
    );
    await refused.getByText("Allow it").waitFor();
    expect(await ada.find("self-tile").count()).toBe(0);
    const { nodes } = await gathering.weir.fleet();
    const used = nodes.flatMap(({ workers }) =>
      workers.map((one) => one.broadcasts.used),
    );
    expect(Math.max(...used)).toBe(0);
  });
});
