import { partsOf } from "../databases/parts.ts";
import { deleteRevocationsBefore } from "../databases/revocations.ts";
import { configOf, type Env } from "../env.ts";
import { warnOfEnds } from "./expiry.ts";
import { carryPurchases } from "./payments.ts";
import { reconcile } from "./reconcile.ts";

/**
 * Each minute: what has to be looked after beside the ledger, and whether the
 * hosts have what it says. What is down is looked after the next time.
 */
export async function sweep(env: Env): Promise<void> {
  await Promise.all([
    logged("revocations", deleteOldRevocations(env)),
    logged("purchases", carryPurchases(env)),
    logged("entitlements", warnOfEnds(env)),
    logged("hosts", reconcile(env)),
  ]);
}

async function deleteOldRevocations(env: Env): Promise<void> {
  const config = configOf(env);
  const { tokens, timing } = config.settings;
  // A revocation has to outlive all that was issued before it.
  const keepMs =
    tokens.leewayMs +
    Math.max(
      tokens.revocationKeepMs,
      tokens.joinTtlMaxMs,
      timing.credentialTtlMs + tokens.reentryMs,
      timing.streamKeyTtlMs,
    );
  const { sessions } = partsOf(config);
  await sessions.use((client) => deleteRevocationsBefore(client, Date.now() - keepMs));
}

function logged(what: string, work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) =>
    console.error(JSON.stringify({ alert: `${what}-unswept`, error: String(error) })),
  );
}
