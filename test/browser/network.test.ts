import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startNode, type TestNode } from "#test/control/node.ts";
import { type Control, startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { findBrowser, startBrowser } from "./browser.ts";
import { Person } from "./people.ts";

describe.skipIf(!findBrowser())("a network that changes", { timeout: 90_000 }, () => {
  let control: Control;
  let node: TestNode;
  let browser: Browser;

  beforeAll(async () => {
    [control, browser] = await Promise.all([
      startControl({ lobby: "open" }),
      startBrowser(findBrowser() ?? ""),
    ]);
    node = await startNode(control, "one", "producer:camera:1,consumer:camera:1");
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await node?.stop();
    await control?.stop();
  }, 30_000);

  /** How often ICE was restarted because a client asked for it. */
  async function restarts(): Promise<number> {
    const text = await node.agent.metrics.registry.metrics();
    const counted = /seconds_count\{op="restart-ice",outcome="ok"\} (\d+)/.exec(text);
    return Number(counted?.[1] ?? 0);
  }

  test("is got over by restarting ICE: who watches and who sends go on in the same session, seat and broadcast", async () => {
    const ada = await Person.arrive(browser);
    const ben = await Person.arrive(browser);
    const link = await ada.openRoom(control.url, 1);
    await ada.enterHere("Ada");
    const broadcastId = await ada.goLive("go-live-test");
    await ben.enter(link, "Ben");
    const [before] = await ben.seesMoving(1);
    const transports = node.agent.registration?.media.transports.all ?? [];
    expect(transports).toHaveLength(2);
    // After two of them the hosts know no longer what these clients say: no check of
    // theirs is answered, as where their address is another all at once.
    for (const { webRtc } of transports) {
      await webRtc.restartIce();
      await webRtc.restartIce();
    }
    await waitFor(async () => (await restarts()) >= 2, {
      what: "both to restart ICE",
      timeoutMs: 30_000,
    });
    const whole = () => transports.every(({ webRtc }) => webRtc.iceState === "completed");
    await waitFor(whole, { what: "checks under the new parameters" });
    const [after] = await ben.seesMoving(1);
    expect(after).toMatchObject({ id: before?.id, broadcastId, state: "ready" });
    expect(node.agent.registration?.media.transports.all).toEqual(transports);
    for (const one of [ada, ben]) await one.vanish();
  });
});
