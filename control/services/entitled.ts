import type { Entitlement } from "#schema/api/accounts.ts";
import { type KnownKey, keyRingOf } from "../auth/key-ring.ts";
import { entitlementRefusal } from "../broker/decide/retier.ts";
import type { EntitlementRow } from "../databases/entitlements.ts";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";

type Span = Pick<EntitlementRow, "tier" | "startsAtMs" | "endsAtMs" | "renewsAtMs">;

/** The highest tier that an account may open rooms of now; 0 is free. */
export function highestTier(
  of: { everyTier: boolean; entitlements: Span[] },
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
 * The highest tier that a key's account may open rooms of, and what it should
 * know of that. Where what is remembered would not do, what was just bought is
 * looked for.
 */
export async function entitlementTo(
  env: Env,
  key: KnownKey,
  wanted: number,
): Promise<{ entitled: number; warnings?: string[] }> {
  const config = configOf(env);
  const tiers = config.settings.tiers.length;
  const known = highestTier(key, tiers, Date.now());
  if (known >= wanted) {
    const warnings = endWarnings(env, key, wanted);
    return { entitled: known, warnings: warnings.length > 0 ? warnings : undefined };
  }
  const fresh = await keyRingOf(config)
    .refresh(key.id)
    .catch(() => undefined);
  return { entitled: fresh ? highestTier(fresh, tiers, Date.now()) : known };
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
  const { id, tier, startsAtMs, endsAtMs, renewsAtMs, source } = row;
  const at = (ms: number | null) =>
    ms === null ? undefined : new Date(ms).toISOString();
  return {
    id,
    tier,
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: at(endsAtMs),
    renewsAt: at(renewsAtMs),
    source,
    state: stateOf(row, nowMs, warnBeforeMs),
  };
}

/** What prolongs itself expires only when that is overdue. */
function stateOf(
  { startsAtMs, endsAtMs, renewsAtMs }: Span,
  nowMs: number,
  warnBeforeMs: number,
): Entitlement["state"] {
  if (startsAtMs > nowMs) return "coming";
  if (endsAtMs === null) return "active";
  if (endsAtMs <= nowMs) return "ended";
  const soon = endsAtMs <= nowMs + warnBeforeMs;
  return soon && (renewsAtMs === null || renewsAtMs <= nowMs) ? "expiring" : "active";
}

/**
 * Tells an account that opens a room of a tier when it soon may no longer.
 * @returns one sentence at most
 */
function endWarnings(env: Env, key: KnownKey, tier: number): string[] {
  const { warnBeforeMs } = configOf(env).settings.accounts;
  const nowMs = Date.now();
  const good = key.entitlements.filter((one) => {
    const state = stateOf(one, nowMs, warnBeforeMs);
    return one.tier >= tier && (state === "active" || state === "expiring");
  });
  const lasting = good.some((one) => stateOf(one, nowMs, warnBeforeMs) === "active");
  if (key.everyTier || tier === 0 || lasting) return [];
  const lastMs = Math.max(...good.map(({ endsAtMs }) => endsAtMs ?? nowMs));
  if (good.length === 0) return [];
  const end = new Date(lastMs).toISOString();
  return [
    `The entitlement to tier ${tier} ends at ${end}: open rooms go on, no more can be opened.`,
  ];
}
