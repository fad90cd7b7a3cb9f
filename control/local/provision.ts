import { createClient } from "@libsql/client/web";
import { firstAccountId } from "#schema/ids.ts";
import { seal, sealedFor } from "../auth/sealed.ts";
import { insertAccount } from "../databases/accounts.ts";
import { insertKey, readKey, resealKey } from "../databases/keys.ts";
import type { DatabaseServer } from "./hrana-server.ts";
import type { Keys } from "./keys.ts";

/**
 * Gives a zone its first account, which is entitled to everything, and the API
 * key that the data folder keeps for it. What is there already stays.
 * @returns whether the key is good; a revoked one stays revoked
 */
export async function provisionFirstAccount(
  accounts: DatabaseServer,
  token: string,
  zone: string,
  keys: Keys,
): Promise<boolean> {
  const client = createClient({ url: accounts.url, authToken: token, intMode: "number" });
  try {
    const accountId = firstAccountId(zone);
    const nowMs = Date.now();
    await insertAccount(client, {
      id: accountId,
      name: "First account",
      state: "active",
      everyTier: true,
      createdAtMs: nowMs,
    });
    const [id = "", secret = ""] = keys.api.split(".");
    const secrets = {
      secret: new TextEncoder().encode(keys.secret),
      previousSecret: undefined,
    };
    const sealedSecret = await seal(secrets, secret, sealedFor({ id, accountId }));
    const known = await readKey(client, id);
    if (!known) {
      const unbounded = Number.MAX_SAFE_INTEGER;
      const row = { id, accountId, name: "first key", sealedSecret, createdAtMs: nowMs };
      await insertKey(
        client,
        { ...row, lastUsedAtMs: null, revokedAtMs: null },
        unbounded,
      );
      return true;
    }
    // The folder's secret may have been replaced, or another key given under the id.
    await resealKey(client, { id, sealedSecret }, known.key.sealedSecret);
    return known.key.revokedAtMs === null;
  } finally {
    client.close();
  }
}
