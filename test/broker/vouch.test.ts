import { expect, test } from "vitest";
import { startZone } from "#test/harness/zone.ts";
import { broadcaster, join, openRoom, register, watchActive } from "./people.ts";

test("a host speaks for its own workers, broadcasts and views, and for nothing else", async () => {
  const zone = await startZone();
  const { nodeId } = await register(zone, { name: "a" });
  const roomId = await openRoom(zone);
  const other = await openRoom(zone);
  const { broadcastId, worker } = await broadcaster(zone, roomId);
  const sessionId = await join(zone, roomId);
  const [view] = await watchActive(zone, roomId, sessionId);
  const liar = (await register(zone, { name: "b" })).nodeId;
  const { workerId } = worker;
  const viewId = view?.viewId ?? "";
  const voice = { roomId, nodeId, workerId, broadcastId };
  const quality = { roomId, nodeId, sessionId, viewId };
  for (const true_ of [voice, quality]) {
    expect(await zone.get("vouchFor", true_)).toEqual({ tier: 1 });
  }
  const elsewhere = workerId.replace("_a_", "_b_");
  for (const lie of [
    { ...voice, nodeId: liar },
    { ...voice, nodeId: liar, workerId: elsewhere },
    { ...voice, roomId: other },
    { ...quality, nodeId: liar },
    { ...quality, roomId: other },
    { ...quality, sessionId: "session_test_another" },
  ]) {
    expect(await zone.refused("vouchFor", lie)).toMatchObject({ refusal: "not-found" });
  }
  // The least that anyone watches anywhere is for the hosts that serve them to say.
  const layers = { roomId, broadcastId, workerId: view?.consumer.workerId ?? "" };
  const lie = { ...layers, spatialLayer: -1, nodeId: liar };
  expect(await zone.get("wantLayers", lie)).toEqual({});
  const told = await zone.get("wantLayers", { ...lie, nodeId });
  expect(told).toMatchObject({ told: { spatialLayer: -1 } });
});
