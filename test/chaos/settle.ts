import { setTimeout as delay } from "node:timers/promises";
import type { CrowdMethods } from "./crowd/contract.ts";
import type { Remote } from "./rpc.ts";
import { heldBy } from "./watch.ts";
import type { RunningZone } from "./zone.ts";

/**
 * Waits until everybody sees everybody.
 * @returns who does not at last, a line each
 */
export async function settle(
  crowd: Remote<CrowdMethods>,
  withinMs: number,
  say: (text: string) => void,
): Promise<string[]> {
  const untilMs = performance.now() + withinMs;
  let before: Record<string, number> | undefined;
  for (;;) {
    const { dark, present } = await crowd.report();
    if (present === 0) return [];
    const now = await crowd.pictures();
    // Nobody is in the dark, and everybody's picture has moved on since then: one
    // that has just stopped would not have.
    if (dark > 0 || Object.keys(now).length === 0) before = undefined;
    else if (before === undefined) before = now;
    else if (haveMovedOn(before, now)) return [];
    if (performance.now() > untilMs) {
      const lines = (await crowd.describeDark()).map((one) => JSON.stringify(one));
      for (const line of lines) say(`in the dark: ${line}`);
      return lines;
    }
    await delay(200);
  }
}

/** A picture comes every 100 ms; without one for five of them it is dark. */
const picturesOn = 8;

function haveMovedOn(
  before: Record<string, number>,
  now: Record<string, number>,
): boolean {
  return Object.entries(now).every(([who, count]) => {
    return count >= (before[who] ?? 0) + picturesOn;
  });
}

/** Waits until nothing is held anywhere; @returns what still is */
export async function emptied(zone: RunningZone, withinMs: number): Promise<string[]> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const held = await zone.control.remote.leftOver();
    for (const host of zone.fleet.hosts) {
      const state = await host.state();
      held.push(...(state ? heldBy(host.name, state) : [`${host.name}: no answer`]));
    }
    if (held.length === 0 || performance.now() > untilMs) return held;
    await delay(250);
  }
}
