import { describe, expect, test } from "vitest";
import { waitFor } from "#test/harness/wait-for.ts";
import { openBarePage } from "#test/wire/bare-page.ts";
import { publishByStock, stopStock } from "#test/wire/stock-clients.ts";
import { findBrowser } from "./browser.ts";
import { gather } from "./gathering.ts";
import type { Person } from "./people.ts";

describe.skipIf(!findBrowser())("the room page", { timeout: 90_000 }, () => {
  const gathering = gather();
  const { arrive } = gathering;

  const cell = (person: Person) =>
    person.page
      .locator('[data-testid="worker"][data-role="consumer"]')
      .evaluateAll((cards) =>
        cards.reduce(
          (sum, card) => sum + Number(card.getAttribute("data-points-used")),
          0,
        ),
      );

  const nothingUsed = () =>
    waitFor(
      async () => {
        const { nodes, pipes } = await gathering.weir.fleet();
        const workers = nodes.flatMap((node) => node.workers);
        const free = workers.every(({ points, broadcasts, views }) => {
          return points.used === 0 && broadcasts.used === 0 && views === 0;
        });
        return free && pipes.length === 0;
      },
      { what: "every place to be given back", timeoutMs: 30_000 },
    );

  test("two people see and hear each other, and the strip shows the point and pipe of each picture", async () => {
    const ada = await arrive();
    const link = await ada.openRoom(gathering.weir.url, 1);
    await ada.enter(link, "Ada");
    const camera = await ada.goLive("go-live");
    const bob = await arrive();
    await bob.enter(link, "Bob");
    const drawn = await bob.goLive("go-live-test");
    const [seen] = await bob.seesMoving(1);
    expect(seen).toMatchObject({ broadcastId: camera, state: "ready" });
    expect(seen?.firstFrameMs).toBeGreaterThan(0);
    await ada.seesMoving(1);
    await waitFor(async () => (await cell(ada)) === 2, {
      what: "two points in the strip",
    });
    for (const broadcastId of [camera, drawn]) {
      const pipe = ada.page.locator(
        `[data-testid="pipe"][data-broadcast-id="${broadcastId}"][data-state="open"]`,
      );
      await pipe.waitFor();
    }
    // Both have sound; whoever is the louder is marked on the other's page.
    const speaks = '[data-testid="tile"][data-speaks="true"]';
    await Promise.any([ada, bob].map(({ page }) => page.locator(speaks).waitFor()));
    const complaints = () => [...ada.complaints, ...bob.complaints];
    expect(complaints()).toEqual([]);
    await bob.find("leave").click();
    await waitFor(async () => (await cell(ada)) === 0, { what: "the points to return" });
    await ada.find("leave").click();
    await nothingUsed();
    // Who leaves may end what the other's page asks for at the same moment.
    expect(complaints().filter((line) => !/404.*\/v1\//.test(line))).toEqual([]);
  });

  test("a hidden picture and a muted microphone are not sent, and others are told", async () => {
    const ada = await arrive();
    const link = await ada.openRoom(gathering.weir.url, 1);
    await ada.enter(link, "Ada");
    await ada.goLive("go-live-test");
    const bob = await arrive();
    await bob.enter(link, "Bob");
    await bob.seesMoving(1);
    await ada.find("toggle-microphone").click();
    await ada.find("toggle-camera").click();
    await bob.find("tile").getByText("Muted:").waitFor({ state: "attached" });
    await bob.find("tile").getByText("The picture is hidden").waitFor();
    const then = await ada.sent();
    const now = await waitFor(
      async () => {
        const sample = await ada.sent();
        return sample.atMs > then.atMs + 1000 && sample;
      },
      { what: "a second to pass in the page" },
    );
    expect(now.packets).toEqual(then.packets);
    await ada.find("toggle-microphone").click();
    await ada.find("toggle-camera").click();
    await bob.seesMoving(1);
  });

  test("what the OBS panel shows is all that another program needs to stream", async () => {
    const ada = await arrive();
    const link = await ada.openRoom(gathering.weir.url, 1);
    await ada.enter(link, "Ada");
    await ada.find("encoder-toggle").click();
    const url = await ada.find("encoder-url").inputValue();
    const key = await ada.find("encoder-key").inputValue();
    const browser = ada.page.context().browser();
    if (!browser) throw new Error("There is no browser.");
    const program = await openBarePage(browser);
    await publishByStock(program, { url, key });
    await ada.seesMoving(1);
    await ada.find("tile").getByText("Ada").waitFor();
    await stopStock(program);
    await ada.find("tile").waitFor({ state: "detached" });
    expect(ada.complaints).toEqual([]);
    await program.context().close();
  });

  test("a person who is refused reads why, and may go on", async () => {
    const ada = await arrive();
    const link = await ada.openRoom(gathering.weir.url, 1);
    await ada.enter(link, "Ada");
    const roomId = link.split("/").at(-1) ?? "";
    for (let at = 1; at <= 6; at += 1)
      await gathering.weir.claimBroadcast(roomId, `live-${at}`);
    await ada.find("go-live-test").click();
    const refused = ada.page.locator(
      '[data-testid="status"][data-code="tier-broadcasts-exceeded"]',
    );
    await refused.waitFor();
    expect(await refused.textContent()).toContain("Refused");
    await ada.find("go-live-test").waitFor();
    expect(await ada.find("self-tile").count()).toBe(0);
  });

  test("a page that goes away gives its seat back before the grace is over", async () => {
    const ada = await arrive();
    const link = await ada.openRoom(gathering.weir.url, 1);
    await ada.enter(link, "Ada");
    await ada.goLive("go-live-test");
    const bob = await arrive();
    await bob.enter(link, "Bob");
    await bob.seesMoving(1);
    await bob.page.goto("about:blank");
    // The grace for a lost session is 10 s.
    await waitFor(async () => (await cell(ada)) === 0, {
      what: "Bob's point to return",
      timeoutMs: 8000,
    });
  });

  test("the page fits a telephone's width, in lobby and room", async () => {
    const ada = await arrive({ width: 360, height: 740 });
    const link = await ada.openRoom(gathering.weir.url, 1);
    expect(await ada.fits()).toBe(true);
    await ada.enter(link, "Somebody With A Rather Long Name");
    await ada.goLive("go-live-test");
    await ada.find("worker").first().waitFor();
    expect(await ada.fits()).toBe(true);
  });
});
