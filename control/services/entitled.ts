import type { Entitlement } from "#schema/api/accounts.ts";
import { type KnownKey, keyRingOf } from "../auth/key-ring.ts";
import { entitlementRefusal } from "../broker/decide/retier.ts";
import type { EntitlementRow } from "../databases/entitlements.ts";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";

type Spans = Pick<EntitlementRow, "tier" | "startsAtMs" | "endsAtMs">[];

/** The highest tier that an account may open rooms of now; 0 is free. */
export function highestTier(
  of: { everyTier: boolean; entitlements: Spans },
  tiers: number,
  nowMs: number,
): number {
  if (of.everyTier) return tiers - 1;
  const running = of.entitlements.filter(
    ({ startsAtMs, endsAtMs }) =>
      startsAtMs <= nowMs && (endsAtMs === null || endsAtMs > nowMs),
  );
  return Math.max(0, ...running.map(({ tier }) => tier));
}

/**
 * The highest tier that a key's account may open rooms of. Where what is
 * remembered would not do, what was just bought is looked for.
 */
export async function entitledTier(
  env: Env,
  key: KnownKey,
  wanted: number,
): Promise<number> {
  const config = configOf(env);
  const tiers = config.settings.tiers.length;
  const known = highestTier(key, tiers, Date.now());
  if (known >= wanted) return known;
  const fresh = await keyRingOf(config)
    .refresh(key.id)
    .catch(() => undefined);
  return fresh ? highestTier(fresh, tiers, Date.now()) : known;
}

/** What an account is told that is not entitled to a tier. */
export function entitlementMissing(wanted: number, entitled: number): Problem {
  return Problem.from(entitlementRefusal(wanted, entitled));
}

/** An entitlement as the API shows it. */
export function entitlementView(
  row: EntitlementRow,
  nowMs: number,
  warnBeforeMs: number,
): Entitlement {
  const { id, tier, startsAtMs, endsAtMs, source } = row;
  const leftMs = endsAtMs === null ? Number.POSITIVE_INFINITY : endsAtMs - nowMs;
  const begun = leftMs <= 0 ? "ended" : leftMs <= warnBeforeMs ? "expiring" : "active";
  return {
    id,
    tier,
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: endsAtMs === null ? undefined : new Date(endsAtMs).toISOString(),
    source,
    state: startsAtMs > nowMs ? "coming" : begun,
  };
}
