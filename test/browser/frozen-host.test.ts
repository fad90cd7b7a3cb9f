import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Fleet } from "#test/chaos/fleet.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { findBrowser, startBrowser } from "./browser.ts";
import { Person } from "./people.ts";

describe.skipIf(!findBrowser())("a host that freezes", { timeout: 90_000 }, () => {
  let control: Control;
  let fleet: Fleet;
  let browser: Browser;

  beforeAll(async () => {
    // Its lease does not end while the test runs; a call to it is soon given up.
    const timing = {
      heartbeatMs: 500,
      nodeSuspectMs: 3000,
      nodeLeaseMs: 90_000,
      callDeadlineMs: 2000,
    };
    [control, browser] = await Promise.all([
      startControl({ lobby: "open", settings: { timing } }),
      startBrowser(findBrowser() ?? ""),
    ]);
    const hosts = ["producer:camera:1", "producer:camera:1", "consumer:camera:1"];
    fleet = new Fleet({ control, zone: control.zone, hosts, drainMs: 1000 });
    await fleet.open();
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await fleet?.close();
    await control?.stop();
  }, 30_000);

  test("is left by its broadcaster for another before its lease ends, under the same id", async () => {
    const ada = await Person.arrive(browser);
    const ben = await Person.arrive(browser);
    const link = await ada.openRoom(control.url, 1);
    await ada.enterHere("Ada");
    const broadcastId = await ada.goLive("go-live-test");
    await ben.enter(link, "Ben");
    await ben.seesMoving(1);
    const frozen = await fleet.hostWith("broadcasts");
    if (!frozen) throw new Error("No host has a broadcast.");
    frozen.freeze();
    const tile = (state: string) =>
      ada.page.locator(`[data-testid="self-tile"][data-state="${state}"]`);
    await tile("interrupted").waitFor({ timeout: 60_000 });
    await tile("live").waitFor({ timeout: 60_000 });
    const [seen] = await ben.seesMoving(1);
    expect(seen).toMatchObject({ broadcastId, state: "ready" });
    const { rows } = await control.database.execute("SELECT id, state FROM node");
    const state = rows.find(({ id }) => id === frozen.nodeId)?.state;
    expect(state).toBe("suspect");
    expect(await fleet.hostWith("broadcasts", frozen)).toBeDefined();
  });
});
