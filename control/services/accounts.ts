import type { Account, CreatedKey, Entitlement } from "#schema/api/accounts.ts";
import type { OwnCaps } from "#schema/caps.ts";
import { newId } from "#schema/ids.ts";
import { keyRingOf } from "../auth/key-ring.ts";
import { forgetOrigins } from "../auth/origins.ts";
import { capColumns } from "../databases/account-caps.ts";
import {
  type AccountChange,
  type AccountRow,
  accountsAfter,
  insertAccount,
  readAccount,
  updateAccount,
} from "../databases/accounts.ts";
import {
  type EntitlementRow,
  endEntitlementRow,
  entitlementsOf,
  insertEntitlement,
} from "../databases/entitlements.ts";
import { originsOf, replaceOrigins } from "../databases/origins.ts";
import { partsOf } from "../databases/parts.ts";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { capsStandingOf } from "./account-caps.ts";
import { entitlementView, highestTier } from "./entitled.ts";
import { addKey } from "./keys.ts";

/** Adds an account with its first key, whose secret is shown this once. */
export async function createAccount(
  env: Env,
  { name, everyTier }: { name: string; everyTier?: boolean },
): Promise<Account & { key: CreatedKey }> {
  const config = configOf(env);
  const id = newId("account", config.zone);
  const row = {
    id,
    name,
    state: "active" as const,
    everyTier: everyTier ?? config.stripeSecrets.length === 0,
    createdAtMs: Date.now(),
  };
  await partsOf(config).accounts.use((client) => insertAccount(client, row));
  const key = await addKey(env, id, "first key");
  return { ...(await showAccount(env, id)), key };
}

/** A page of all accounts. */
export async function listAccounts(env: Env, cursor: string, limit: number) {
  const { accounts } = partsOf(configOf(env));
  const rows = await accounts.use((client) => accountsAfter(client, cursor, limit + 1));
  const shown = rows.slice(0, limit).map(plainView);
  return {
    accounts: shown,
    nextCursor: rows.length > limit ? shown.at(-1)?.id : undefined,
  };
}

/** An account, and what it is entitled to. @throws Problem `not-found` */
export async function showAccount(env: Env, accountId: string): Promise<Account> {
  const { accounts } = partsOf(configOf(env));
  const [row, entitlements, origins] = await Promise.all([
    accounts.use((client) => readAccount(client, accountId)),
    accounts.use((client) => entitlementsOf(client, accountId)),
    accounts.use((client) => originsOf(client, accountId)),
  ]);
  if (!row) throw new Problem("not-found");
  return { ...(await accountView(env, row, entitlements)), allowedOrigins: origins };
}

/**
 * Changes an account. What runs goes on when it is suspended; its keys and
 * tokens are refused within `keyCacheMs`. A lower cap closes nothing either, and
 * refuses what comes next. @throws Problem `not-found`
 */
export async function changeAccount(
  env: Env,
  accountId: string,
  {
    caps = {},
    allowedOrigins,
    ...rest
  }: Omit<AccountChange, CapColumn> & {
    caps?: Partial<OwnCaps>;
    allowedOrigins?: string[];
  },
): Promise<Account> {
  const config = configOf(env);
  const { accounts } = partsOf(config);
  const change = { ...rest, ...capColumns(caps) };
  const { originsMax } = config.settings.accounts;
  if (allowedOrigins && allowedOrigins.length > originsMax) {
    const message = `are more than ${originsMax}, which is as many as there may be`;
    throw new Problem("validation-failed", {
      errors: [{ path: "allowedOrigins", message }],
    });
  }
  const row = await accounts.use((client) => updateAccount(client, accountId, change));
  if (!row) throw new Problem("not-found");
  if (allowedOrigins) {
    await accounts.use((client) => replaceOrigins(client, accountId, allowedOrigins));
    forgetOrigins(config);
  }
  keyRingOf(config).forgetAccount(accountId);
  return showAccount(env, accountId);
}

/** Entitles an account by hand. @throws Problem `not-found` */
export async function grantEntitlement(
  env: Env,
  accountId: string,
  { tier, days }: { tier: number; days?: number },
): Promise<Entitlement> {
  const config = configOf(env);
  const { tiers, accounts: settings } = config.settings;
  if (!tiers[tier]) {
    const message = `there are tiers 0 to ${tiers.length - 1}`;
    throw new Problem("validation-failed", { errors: [{ path: "tier", message }] });
  }
  await showAccount(env, accountId);
  const nowMs = Date.now();
  const row: EntitlementRow = {
    id: newId("entitlement", config.zone),
    accountId,
    tier,
    startsAtMs: nowMs,
    endsAtMs: days === undefined ? null : nowMs + days * 86_400_000,
    renewsAtMs: null,
    source: "operator",
    purchaseId: null,
    purchaseEvents: 0,
    warnedOfEndMs: null,
  };
  await partsOf(config).accounts.use((client) => insertEntitlement(client, row));
  keyRingOf(config).forgetAccount(accountId);
  return entitlementView(row, nowMs, settings.warnBeforeMs);
}

/**
 * Ends an entitlement now; rooms that are open stay open. Twice is once.
 * @throws Problem `not-found`
 */
export async function endEntitlement(
  env: Env,
  accountId: string,
  entitlementId: string,
): Promise<Entitlement> {
  const config = configOf(env);
  const nowMs = Date.now();
  const row = await partsOf(config).accounts.use((client) =>
    endEntitlementRow(client, { accountId, entitlementId }, nowMs),
  );
  if (!row) throw new Problem("not-found");
  keyRingOf(config).forgetAccount(accountId);
  return entitlementView(row, nowMs, config.settings.accounts.warnBeforeMs);
}

function plainView({ id, name, state, everyTier, createdAtMs }: AccountRow) {
  return { id, name, state, everyTier, createdAt: new Date(createdAtMs).toISOString() };
}

type CapColumn = keyof ReturnType<typeof capColumns>;

async function accountView(
  env: Env,
  row: AccountRow,
  entitlements: EntitlementRow[],
): Promise<Omit<Account, "allowedOrigins">> {
  const { tiers, accounts } = configOf(env).settings;
  const nowMs = Date.now();
  return {
    ...plainView(row),
    tier: highestTier({ ...row, entitlements }, tiers.length, nowMs),
    caps: await capsStandingOf(env, row),
    entitlements: entitlements.map((one) =>
      entitlementView(one, nowMs, accounts.warnBeforeMs),
    ),
  };
}
