import { describe, expect, test } from "vitest";
import { startNode } from "#test/control/node.ts";
import { startControl } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { findBrowser } from "./browser.ts";
import { gatherAt } from "./gathering.ts";

async function startOneHost() {
  const control = await startControl({ lobby: "open" });
  const node = await startNode(control, "one", "producer:camera:1,consumer:camera:1");
  const stop = async () => {
    await node.stop();
    await control.stop();
  };
  return { url: control.url, node, stop };
}

describe.skipIf(!findBrowser())("a network that changes", { timeout: 90_000 }, () => {
  const gathering = gatherAt(startOneHost);

  /** How often ICE was restarted because a client asked for it. */
  async function restarts(): Promise<number> {
    const text = await gathering.weir.node.agent.metrics.registry.metrics();
    const counted = /seconds_count\{op="restart-ice",outcome="ok"\} (\d+)/.exec(text);
    return Number(counted?.[1] ?? 0);
  }

  test("is got over by restarting ICE: who watches and who sends go on in the same session, seat and broadcast", async () => {
    const { node } = gathering.weir;
    const { ada, ben } = await gathering.meet(1, 1);
    const broadcastId = await ada.goLive("go-live-test");
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
  });
});
