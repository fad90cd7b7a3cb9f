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

/**
 * Reads from the accounts: from the replica, else from the primary. What the
 * replica does not have yet is asked of the primary too.
 * @param read answers undefined for what is not there
 * @throws Problem `unavailable` where neither answers, or only a replica that may lag
 */
export async function readAccounts<T>(
  { accounts, accountsReplica }: Parts,
  read: (client: Client) => Promise<T | undefined>,
): Promise<T | undefined> {
  if (accountsReplica && !accountsReplica.paused) {
    const found = await accountsReplica.use(read).catch(onlyIfDown);
    if (found !== undefined) return found;
  }
  try {
    return await accounts.use(read);
  } catch (error) {
    // A replica that failed a moment ago is better than a primary that fails now.
    const last = accountsReplica && (await accountsReplica.try(read).catch(onlyIfDown));
    if (last !== undefined) return last;
    throw error;
  }
}

function onlyIfDown(error: unknown): undefined {
  if (!(error instanceof Problem)) throw error;
  return undefined;
}
