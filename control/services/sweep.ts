import { partsOf } from "../databases/parts.ts";
import { deleteRevocationsBefore } from "../databases/revocations.ts";
import { configOf, type Env } from "../env.ts";
import { warnOfEnds } from "./expiry.ts";
import { carryPurchases } from "./payments.ts";

/**
 * Each minute: what the databases beside the ledger have to be looked after for.
 * One that is down is looked after the next time.
 */
export async function sweep(env: Env): Promise<void> {
  await Promise.all([
    logged("revocations", deleteOldRevocations(env)),
    logged("purchases", carryPurchases(env)),
    logged("entitlements", warnOfEnds(env)),
  ]);
}

async function deleteOldRevocations(env: Env): Promise<void> {
  const config = configOf(env);
  const beforeMs = Date.now() - config.settings.tokens.revocationKeepMs;
  const { sessions } = partsOf(config);
  await sessions.use((client) => deleteRevocationsBefore(client, beforeMs));
}

function logged(what: string, work: Promise<void>): Promise<void> {
  return work.catch((error: unknown) =>
    console.error(JSON.stringify({ alert: `${what}-unswept`, error: String(error) })),
  );
}
