import type { CreatedKey, Key } from "#schema/api/accounts.ts";
import { newId } from "#schema/ids.ts";
import { keyRingOf } from "../auth/key-ring.ts";
import { isSealedNow, seal, sealedFor, unseal } from "../auth/sealed.ts";
import { readAccount } from "../databases/accounts.ts";
import {
  insertKey,
  type KeyRow,
  keysAfter,
  keysOfAccount,
  resealKey,
  revokeKeyRow,
} from "../databases/keys.ts";
import { partsOf } from "../databases/parts.ts";
import { insertRevokedKey } from "../databases/revocations.ts";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";

const secretBytes = 32;
/** Keys that one statement reads while all are sealed anew. */
const pageRows = 200;

/**
 * Makes a key of an account. Its secret is shown this once.
 * @throws Problem `not-found` without such an account, `too-many-keys`
 */
export async function addKey(
  env: Env,
  accountId: string,
  name: string,
): Promise<CreatedKey> {
  const config = configOf(env);
  const { accounts } = partsOf(config);
  const id = newId("key", config.zone);
  const secret = randomText();
  const row: KeyRow = {
    id,
    accountId,
    name,
    sealedSecret: await seal(config, secret, sealedFor({ id, accountId })),
    createdAtMs: Date.now(),
    lastUsedAtMs: null,
    revokedAtMs: null,
  };
  if (!(await accounts.use((client) => readAccount(client, accountId)))) {
    throw new Problem("not-found");
  }
  const { keysMax } = config.settings.accounts;
  if (!(await accounts.use((client) => insertKey(client, row, keysMax)))) {
    const detail = `It may have ${keysMax}: revoke one that is not used.`;
    throw new Problem("too-many-keys", { detail });
  }
  return { ...keyView(row), apiKey: `${id}.${secret}` };
}

/**
 * An account's keys, without their secrets.
 * @throws Problem `not-found` without such an account
 */
export async function listKeys(env: Env, accountId: string): Promise<{ keys: Key[] }> {
  const { accounts } = partsOf(configOf(env));
  const rows = await accounts.use((client) => keysOfAccount(client, accountId));
  // Hardly an account has none: where there are some, nothing else is asked.
  const there =
    rows.length > 0 || accounts.use((client) => readAccount(client, accountId));
  if (!(await there)) throw new Problem("not-found");
  return { keys: rows.map(keyView) };
}

/**
 * Revokes a key of an account; twice is once. It acts at once at room entry, by
 * way of the sessions database, and within `keyCacheMs` elsewhere.
 * @param keep how many others have to remain
 * @throws Problem `not-found`, `last-key`
 */
export async function revokeKey(
  env: Env,
  accountId: string,
  keyId: string,
  keep: 0 | 1,
): Promise<Key> {
  const config = configOf(env);
  const { accounts, sessions } = partsOf(config);
  const nowMs = Date.now();
  const row = await accounts.use((client) =>
    revokeKeyRow(client, { accountId, keyId }, nowMs, keep),
  );
  if (!row) throw new Problem("not-found");
  if (row.revokedAtMs === null) {
    throw new Problem("last-key", { detail: "Make another key first, and use that." });
  }
  keyRingOf(config).forget(keyId);
  await sessions.use((client) => insertRevokedKey(client, keyId, nowMs));
  return keyView(row);
}

/**
 * Seals all secrets under the present WEIR_SECRET_KEY, after it was replaced.
 * Then WEIR_SECRET_KEY_PREVIOUS may go.
 */
export async function resealKeys(
  env: Env,
): Promise<{ resealed: number; unchanged: number }> {
  const config = configOf(env);
  const { accounts } = partsOf(config);
  let resealed = 0;
  let unchanged = 0;
  for (let after = ""; ; ) {
    const rows = await accounts.use((client) => keysAfter(client, after, pageRows));
    for (const row of rows) {
      if (await isSealedNow(config, row.sealedSecret)) {
        unchanged += 1;
        continue;
      }
      const secret = await unseal(config, row.sealedSecret, sealedFor(row));
      const sealedSecret = await seal(config, secret, sealedFor(row));
      const { id, sealedSecret: formerly } = row;
      await accounts.use((client) => resealKey(client, { id, sealedSecret }, formerly));
      resealed += 1;
    }
    const last = rows.at(-1);
    if (!last || rows.length < pageRows) return { resealed, unchanged };
    after = last.id;
  }
}

function keyView({ id, name, createdAtMs, lastUsedAtMs, revokedAtMs }: KeyRow): Key {
  const at = (ms: number | null) =>
    ms === null ? undefined : new Date(ms).toISOString();
  return {
    id,
    name,
    createdAt: new Date(createdAtMs).toISOString(),
    lastUsedAt: at(lastUsedAtMs),
    revokedAt: at(revokedAtMs),
  };
}

function randomText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(secretBytes));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
