import { describe, expect, test } from "vitest";
import { waitFor } from "#test/harness/wait-for.ts";
import { findBrowser } from "./browser.ts";
import { gather } from "./gathering.ts";
import type { PageGlobals } from "./page-globals.ts";
import type { Person } from "./people.ts";
import { RtpGuest } from "./rtp-guest.ts";

describe.skipIf(!findBrowser())("a full room of tier 1", { timeout: 120_000 }, () => {
  const gathering = gather();

  const points = async () => {
    const { nodes } = await gathering.weir.fleet();
    const workers = nodes.flatMap((node) => node.workers);
    const used = workers.map((worker) => worker.points.used);
    const views = workers.map((worker) => worker.views);
    return [used, views].map((counts) => counts.reduce((sum, one) => sum + one, 0));
  };

  /** How many pictures of a page are heard only. */
  const heardOnly = ({ page }: Person) =>
    page.evaluate(() => {
      const { weir } = globalThis as unknown as PageGlobals;
      return [...(weir.room?.views.values() ?? [])].filter((view) => view.heardOnly)
        .length;
    });

  test("six broadcasters and six viewers cost the tier's twelve points; everyone hears everyone, and a page shows the pictures that it may", async () => {
    const { ada, ben, link } = await gathering.meet(1, 1);
    const roomId = link.split("/").at(-1) ?? "";
    const names = Array.from({ length: 10 }, (_, at) => `guest-${at}`);
    const guests = await Promise.all(
      names.map((name) => RtpGuest.enter(gathering.weir, roomId, name)),
    );
    try {
      await ada.goLive("go-live-test");
      const live = guests.slice(0, 5);
      await Promise.all(live.map((guest) => guest.goLive()));
      await Promise.all(
        guests.map((guest) => guest.watchAll(live.includes(guest) ? 5 : 6)),
      );

      // Each of six broadcasts has eleven viewers: two points each, and no more.
      await waitFor(async () => String(await points()) === "12,66", {
        what: "66 views on 12 points",
        timeoutMs: 30_000,
      });
      await waitFor(() => guests.every(({ heard }) => heard.length >= 5), {
        what: "every guest to hear everyone",
        timeoutMs: 20_000,
      });
      const viewers = guests.filter((guest) => !live.includes(guest));
      await waitFor(() => viewers.every(({ heard }) => heard.length === 6), {
        what: "every viewer to hear all six",
      });
      await ben.find("people-toggle").getByText("12").waitFor();
      // Of six cameras a page shows four (and decodes one), and hears them all.
      await waitFor(
        async () => {
          const pictures = await ben.pictures();
          const moving = pictures.filter(({ frames }) => frames > 5).length;
          const heard = pictures.filter(({ audioPackets }) => audioPackets > 0).length;
          return moving === 1 && heard === 6 && (await heardOnly(ben)) === 2;
        },
        {
          what: "a moving picture, and six broadcasts that are heard",
          timeoutMs: 20_000,
        },
      );
      const thirteenth = RtpGuest.enter(gathering.weir, roomId, "one too many");
      await expect(thirteenth).rejects.toThrow("room-full");
    } finally {
      await Promise.all(guests.map((guest) => guest.leave()));
    }
  });
});
