import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { waitFor } from "#test/harness/wait-for.ts";
import { findBrowser, openShown } from "./browser.ts";
import { gather } from "./gathering.ts";
import type { PageGlobals } from "./page-globals.ts";
import type { Person } from "./people.ts";

describe.skipIf(!findBrowser())(
  "screens, devices and the examples",
  { timeout: 90_000 },
  () => {
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

    test("the examples run: one publishes, one watches, two show a screen and talk", async () => {
      const publisher = await gathering.arrive();
      const { page } = publisher;
      await page.goto(`${gathering.weir.url}/examples/publish`);
      const status = (one: typeof publisher) => one.page.locator("#status");
      await status(publisher).getByText("You are not live").waitFor();
      await page.getByRole("button", { name: "Go live" }).click();
      await page.locator("#numbers").getByText("kbit/s").waitFor();
      const { search } = new URL(page.url());

      const viewer = await gathering.arrive();
      await viewer.page.goto(`${gathering.weir.url}/examples/watch${search}`);
      await status(viewer).getByText("1 live").waitFor();
      await movesIn(viewer, "figure video");

      const [shower, talker] = [await gathering.arrive(), await gathering.arrive()];
      for (const one of [shower, talker]) {
        await one.page.goto(`${gathering.weir.url}/examples/screen-and-chat${search}`);
        await status(one).getByText("Nobody shows").waitFor();
      }
      await openShown(shower.page);
      await shower.page.getByRole("button", { name: "Share a screen" }).click();
      await status(talker).getByText("shows a screen").waitFor();
      await movesIn(talker, "#screen");
      await talker.page.getByLabel("Message").fill("I see it");
      await talker.page.keyboard.press("Enter");
      await shower.page.locator("#log").getByText("I see it").waitFor();
      const complaints = [publisher, viewer, shower, talker].map((one) => one.complaints);
      expect(complaints.flat()).toEqual([]);
    });

    test("the SDK is served as a file, with types that stand alone and a reference", async () => {
      const text = async (path: string) => {
        const answer = await fetch(new URL(path, gathering.weir.url));
        expect([path, answer.status]).toEqual([path, 200]);
        return answer.text();
      };
      expect(await text("/sdk/weir.js")).toContain("export {");
      const reference = await text("/docs/sdk");
      for (const id of ["connect", "Room.publishScreen", "View.set", "WeirError.code"]) {
        expect(reference).toContain(`id="${id}"`);
      }
      const folder = await mkdtemp(join(tmpdir(), "weir-types-"));
      try {
        await writeFile(join(folder, "weir.d.ts"), await text("/sdk/weir.d.ts"));
        await writeFile(join(folder, "use.ts"), use);
        // What no program can be without is left out, and what it may not do fails.
        const flags = "--noEmit --strict --ignoreConfig --lib ES2024,DOM,DOM.Iterable";
        const args = [
          tsc,
          ...flags.split(" "),
          "--module",
          "esnext",
          join(folder, "use.ts"),
        ];
        const { stdout, status } = spawnSync(process.execPath, args, {
          encoding: "utf8",
        });
        expect([stdout, status]).toEqual(["", 0]);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  },
);

const tsc = fileURLToPath(import.meta.resolve("typescript/package.json")).replace(
  "package.json",
  "bin/tsc",
);

/** A program on the SDK's types; each expected error would be one if it were none. */
const use = `
import { connect, WeirError, type View } from "./weir";
const room = await connect({ url: "", roomId: "", token: async () => "", picturesMax: 4 });
room.on("view", (view: View) => view.attach(document.createElement("video")));
room.on("speaker", ({ broadcastId }) => room.views.get(broadcastId)?.set({ pinned: true }));
// @ts-expect-error there is no such event
room.on("nothing", () => {});
const { bitrateKbps } = await (await room.publishCamera({ camera: false })).stats();
// @ts-expect-error a room's state is not set from outside
room.state = "closed";
export const sum: number = bitrateKbps;
export const why = (error: unknown) => error instanceof WeirError && error.code === "room-full";
`;

/** Waits until a video of a person's page shows one frame after another. */
async function movesIn({ page }: Person, selector: string): Promise<void> {
  const frames = () =>
    page.evaluate((where) => {
      const { document } = globalThis as unknown as PageGlobals;
      const video = document.querySelector(where);
      return video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
    }, selector);
  const before = await frames();
  await waitFor(async () => (await frames()) > before + 5, {
    what: `moving frames in ${selector}`,
    timeoutMs: 20_000,
  });
}
