import type { Settings } from "#schema/settings.ts";

/** A node's traffic in the present month. */
export interface Traffic {
  /** Gigabytes (10^9 bytes) that it may send in a month; absent: no quota. */
  quotaGb?: number;
  /** Megabytes (10^6 bytes) sent this month. */
  sentMb: number;
  /** Nominal kbit/s that are granted at present. */
  grantedKbps: number;
}

/**
 * Whether a node has used its quota up: beside what it has sent, and what it has
 * granted for the time that the quota has to last, one more view does not fit.
 * @param viewKbps nominal kbit/s of one more view
 */
export function quotaIsUsedUp(
  traffic: Traffic,
  viewKbps: number,
  settings: Settings,
): boolean {
  const grantedKbps = traffic.grantedKbps + viewKbps;
  return quotaShare({ ...traffic, grantedKbps }, settings) > 1;
}

/** The share of the quota that is sent or spoken for; 0 without a quota. */
export function quotaShare(
  { quotaGb, sentMb, grantedKbps }: Traffic,
  settings: Settings,
): number {
  if (quotaGb === undefined) return 0;
  const { quotaReserveMinutes } = settings.budget;
  const spokenForMb = (grantedKbps * 60 * quotaReserveMinutes) / 8000;
  return (sentMb + spokenForMb) / (quotaGb * 1000);
}

/** A month's name in UTC, as 2026-11. */
export function monthOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 7);
}
