import { type CapName, type CapsStanding, capNames } from "#schema/caps.ts";
import { toldCapsOf } from "../databases/account-caps.ts";
import type { AccountRow } from "../databases/accounts.ts";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { ask } from "./ask.ts";

/**
 * Every cap of an account as it stands, and what of it is used. The zone hears of
 * changed caps by being asked; while it does not answer, only the caps are told.
 */
export async function capsStandingOf(env: Env, row: AccountRow): Promise<CapsStanding> {
  const { zone, settings } = configOf(env);
  const own = toldCapsOf(row);
  const asked = { accountId: row.id, caps: own };
  const used = await ask(env, zone, "readAccountUse", asked).catch((error: unknown) => {
    if (error instanceof Problem) return undefined;
    throw error;
  });
  const standing = (name: CapName) => ({
    max: own[name] ?? settings.accounts.caps[name] ?? null,
    own: own[name] !== null,
    used: used?.[name],
  });
  return Object.fromEntries(
    capNames.map((name) => [name, standing(name)]),
  ) as CapsStanding;
}
