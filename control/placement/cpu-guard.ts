import type { Settings } from "#schema/settings.ts";

/** What the guard remembers of one worker. */
export interface GuardMemory {
  /** Whether the worker takes nothing new. */
  holds: boolean;
  /** Since when, in milliseconds, the load has been on the other side. */
  crossedAtMs?: number;
}

/**
 * A worker above its limit for a while takes nothing new until it has been well
 * below for a while. The points rule; this can only refuse.
 * @param cpuPercent share of one core, 0-100
 */
export function guardCpu(
  memory: GuardMemory | undefined,
  cpuPercent: number,
  nowMs: number,
  { cpuGuard }: Settings,
): GuardMemory {
  const holds = memory?.holds ?? false;
  const crosses = holds
    ? cpuPercent < cpuGuard.acceptBelowPercent
    : cpuPercent > cpuGuard.refuseAbovePercent;
  if (!crosses) return { holds };
  const crossedAtMs = memory?.crossedAtMs ?? nowMs;
  const afterMs = holds ? cpuGuard.acceptAfterMs : cpuGuard.refuseAfterMs;
  return nowMs - crossedAtMs >= afterMs ? { holds: !holds } : { holds, crossedAtMs };
}
