import type { Reconciliation } from "#schema/api/fleet.ts";
import { zoneOf } from "#schema/ids.ts";
import { configOf, type Env } from "../env.ts";
import { brokerOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";
import { ask, readRows } from "./ask.ts";
import { callNode } from "./calls.ts";

/**
 * Recomputes the zone's totals from their rows, and holds what each host has
 * against the ledger: what no row backs closes after a grace, what a row says and
 * the host has no longer gets another place.
 */
export async function reconcile(env: Env): Promise<Reconciliation> {
  const { zone } = configOf(env);
  const [drift, { nodes }] = await Promise.all([
    readRows(() => brokerOf(env, zone).findDrift()),
    ask(env, zone, "readFleet", {}),
  ]);
  if (drift.length > 0) {
    console.error(JSON.stringify({ alert: "drift", drift }));
  }
  const present = nodes.filter(({ state }) => state !== "gone");
  return { drift, nodes: await Promise.all(present.map((node) => compare(env, node))) };
}

async function compare(
  env: Env,
  { id: nodeId, epoch }: { id: string; epoch: number },
): Promise<Reconciliation["nodes"][number]> {
  try {
    const inventory = await callNode(env, nodeId, { op: "inventory" });
    const zone = zoneOf(nodeId) ?? "";
    const compared = await ask(env, zone, "reconcileNode", { nodeId, epoch, inventory });
    return { nodeId, reached: true, ...compared };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { nodeId, reached: false, orphans: 0, closed: 0, missing: 0, replaced: 0 };
  }
}
