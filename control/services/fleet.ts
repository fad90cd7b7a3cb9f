import type { Explanation, NodeEventInfo } from "#schema/api/fleet.ts";
import { zoneOf } from "#schema/ids.ts";
import { configOf, type Env } from "../env.ts";
import { brokerOf } from "../objects/names.ts";
import { type FleetPlan, planFleet } from "../placement/plan.ts";
import { Problem } from "../problem.ts";
import { ask, readRows } from "./ask.ts";

export interface PlanQuery {
  /** Rooms by tier, as `5:2,1:200`. */
  mix?: string;
  tier?: number;
  rooms: number;
  screensPerRoom: number;
  coresPerHost: number;
  hostEgressMbps: number;
}

/** Works out the fleet for a mix of rooms. */
export function planOf(env: Env, query: PlanQuery): FleetPlan {
  const { settings } = configOf(env);
  const asked =
    query.mix?.split(",").map((part) => part.split(":").map(Number)) ??
    (query.tier === undefined ? [] : [[query.tier, query.rooms]]);
  const mix = asked.map(([tier = 0, rooms = 0]) => ({ tier, rooms }));
  const unknown = mix.find(({ tier }) => !settings.tiers[tier]);
  if (mix.length === 0 || unknown) {
    const message = unknown
      ? `there are tiers 0 to ${settings.tiers.length - 1}`
      : "give a mix as 5:2,1:200, or a tier";
    throw new Problem("validation-failed", { errors: [{ path: "mix", message }] });
  }
  return planFleet({
    mix,
    settings,
    coresPerHost: query.coresPerHost,
    hostEgressKbps: query.hostEgressMbps * 1000,
    screensPerRoom: query.screensPerRoom,
  });
}

/** Tells why a view of one of the account's rooms is where it is. */
export async function explain(
  env: Env,
  accountId: string,
  viewId: string,
): Promise<Explanation> {
  const zone = zoneOf(viewId) ?? "";
  const roomId = await readRows(() => brokerOf(env, zone).roomOf("view", viewId));
  if (!roomId) throw new Problem("not-found");
  return ask(env, zone, "explainView", { roomId, accountId, viewId });
}

/** A node's own events after a sequence number. */
export async function nodeEventsAfter(env: Env, nodeId: string, after: number) {
  const broker = brokerOf(env, zoneOf(nodeId) ?? "");
  const rows = await readRows(() => broker.eventsAfter<NodeEventInfo>(nodeId, after));
  const events = rows.map(({ seq, atMs, event }) => ({
    seq,
    at: new Date(atMs).toISOString(),
    event,
  }));
  return { events };
}
