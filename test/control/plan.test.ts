import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Control, startControl } from "#test/harness/control.ts";
import { bodyOf } from "./api.ts";

let control: Control;

beforeAll(async () => {
  control = await startControl({ lobby: "open" });
});
afterAll(() => control.stop());

async function plan(query: string) {
  return bodyOf(await control.call("GET", `/v1/plan?${query}`), 200);
}

describe("the plan of one full room", () => {
  /** Tier, broadcasts, viewers and consumer workers. */
  const tiers: [tier: number, broadcasts: number, viewers: number, cores: number][] = [
    [0, 0, 12, 0],
    [1, 6, 12, 1],
    [2, 12, 24, 4],
    [3, 12, 48, 8],
    [4, 24, 48, 16],
    [5, 24, 96, 32],
    [6, 48, 96, 64],
  ];

  test.each(tiers)("of tier %i", async (tier, broadcasts, viewers, cores) => {
    const planned = await plan(`tier=${tier}`);
    expect(planned.workers.consumer).toBe(cores);
    expect(planned.consumers).toBe(2 * broadcasts * (viewers - 1));
    expect(planned.points).toBe((broadcasts * viewers) / 6);
    expect(planned.workers.producer).toBe(Math.ceil(broadcasts / 30));
    const { producer, consumer, screen, total } = planned.workers;
    expect(producer + consumer + screen).toBe(total);
  });
});

test("a mix of rooms needs what its rooms need together", async () => {
  const mixed = await plan("mix=5:2,1:200");
  const parts = await Promise.all([plan("tier=5&rooms=2"), plan("tier=1&rooms=200")]);
  const sum = (of: (one: typeof mixed) => number) => of(parts[0]) + of(parts[1]);
  expect(mixed.consumers).toBe(sum((one) => one.consumers));
  expect(mixed.points).toBe(sum((one) => one.points));
  expect(mixed.workers.consumer).toBe(2 * 32 + 200);
});

test("hosts of a thin network are bound by it and not by their cores", async () => {
  const wide = await plan("tier=3&hostEgressMbps=100000&coresPerHost=4");
  const thin = await plan("tier=3&hostEgressMbps=100&coresPerHost=64");
  expect([wide.bindingLimit, thin.bindingLimit]).toEqual(["cores", "egress"]);
  expect(thin.hosts).toBeGreaterThanOrEqual(Math.ceil(thin.egressMbps / 100));
});

test("an open lobby gives anyone a room and a token, and the fleet to look at", async () => {
  const lobby = bodyOf(await control.call("GET", "/v1/lobby"), 200);
  expect(lobby.tiers).toHaveLength(7);
  expect(lobby.tiers[2]).toMatchObject({ tier: 2, broadcasts: 12, viewers: 24 });
  const body = { tier: 2 };
  const room = bodyOf(await control.call("POST", "/v1/lobby/rooms", { body }), 201);
  const answer = await control.call("POST", `/v1/lobby/rooms/${room.id}/tokens`, {
    body: { identity: "ann" },
  });
  const { token } = bodyOf(answer, 201);
  const path = `/v1/rooms/${room.id}/sessions`;
  const entry = bodyOf(await control.call("POST", path, { key: token, body: {} }), 201);
  expect(entry.room.id).toBe(room.id);
  expect(bodyOf(await control.call("GET", "/v1/lobby/fleet"), 200)).toEqual({
    nodes: [],
    pipes: [],
  });
});

test("the zones of the deployment are told", async () => {
  const { zones } = bodyOf(await control.call("GET", "/v1/zones"), 200);
  expect(zones).toEqual([{ name: control.zone }]);
});
