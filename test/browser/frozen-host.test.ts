import { describe, expect, test } from "vitest";
import { Fleet } from "#test/chaos/fleet.ts";
import { startControl } from "#test/harness/control.ts";
import { findBrowser } from "./browser.ts";
import { gatherAt } from "./gathering.ts";

async function startFleet() {
  // Its lease does not end while the test runs; a call to it is soon given up.
  const timing = {
    heartbeatMs: 500,
    nodeSuspectMs: 3000,
    nodeLeaseMs: 90_000,
    callDeadlineMs: 2000,
  };
  const control = await startControl({ lobby: "open", settings: { timing } });
  const hosts = ["producer:camera:1", "producer:camera:1", "consumer:camera:1"];
  const fleet = new Fleet({ control, zone: control.zone, hosts, drainMs: 1000 });
  await fleet.open();
  const stop = async () => {
    await fleet.close();
    await control.stop();
  };
  return { url: control.url, control, fleet, stop };
}

describe.skipIf(!findBrowser())("a host that freezes", { timeout: 90_000 }, () => {
  const gathering = gatherAt(startFleet);

  test("is left by its broadcaster for another before its lease ends, under the same id", async () => {
    const { control, fleet } = gathering.weir;
    const { ada, ben } = await gathering.meet(1, 1);
    const broadcastId = await ada.goLive("go-live-test");
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
