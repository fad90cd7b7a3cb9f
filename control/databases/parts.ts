import type { Client } from "@libsql/client/web";
import type { Config } from "../env.ts";
import { Problem } from "../problem.ts";
import { Part } from "./part.ts";

/** The databases beside the ledger. */
export interface Parts {
  sessions: Part;
  accounts: Part;
  /** A copy of the accounts for reading, which lags behind. */
  accountsReplica: Part | undefined;
  /** Absent where no payments are taken. */
  premium: Part | undefined;
}

// One set per isolate, as each remembers which part was down a moment ago.
const known = new WeakMap<Config, Parts>();

/** A deployment's databases beside the ledger. */
export function partsOf(config: Config): Parts {
  const parts = known.get(config);
  if (parts) return parts;
  const { databases } = config.settings;
  const { accountsReplica, premiumDb } = config;
  const made: Parts = {
    sessions: new Part("sessions", config.sessionsDb, databases.sessions),
    accounts: new Part("accounts", config.accountsDb, databases.accounts),
    accountsReplica:
      accountsReplica && new Part("accounts", accountsReplica, databases.accountsReplica),
    premium: premiumDb && new Part("premium", premiumDb, databases.premium),
  };
  known.set(config, made);
  return made;
}

/** What was read of the accounts, and whether a replica said it, which may lag. */
export interface AccountsAnswer<T> {
  found: T | undefined;
  replicated: boolean;
}

/**
 * Reads from the accounts for room entry: from the replica, else from the
 * primary. What the replica does not have yet is asked of the primary too.
 * @param read answers undefined for what is not there
 * @throws Problem `unavailable` where neither answers, or only a replica that may lag
 */
export async function readNear<T>(
  parts: Parts,
  read: (client: Client) => Promise<T | undefined>,
): Promise<AccountsAnswer<T>> {
  const { accountsReplica } = parts;
  if (accountsReplica && !accountsReplica.paused) {
    const found = await accountsReplica.use(read).catch(onlyIfDown);
    if (found !== undefined) return { found, replicated: true };
  }
  return readSure(parts, read);
}

/**
 * Reads from the primary, and from the replica only where the primary is down.
 * @throws Problem `unavailable` like `readNear`
 */
export async function readSure<T>(
  { accounts, accountsReplica }: Parts,
  read: (client: Client) => Promise<T | undefined>,
): Promise<AccountsAnswer<T>> {
  try {
    return { found: await accounts.use(read), replicated: false };
  } catch (error) {
    // A replica that failed a moment ago is better than a primary that fails now.
    const found = accountsReplica && (await accountsReplica.try(read).catch(onlyIfDown));
    if (found === undefined) throw error;
    return { found, replicated: true };
  }
}

function onlyIfDown(error: unknown): undefined {
  if (!(error instanceof Problem)) throw error;
  return undefined;
}
