import type { ToldCaps } from "#schema/caps.ts";
import { idOf } from "#schema/ids.ts";
import { toldCapsOf } from "../databases/account-caps.ts";
import type { EntitlementRow } from "../databases/entitlements.ts";
import {
  type KeyWithAccount,
  newestKeyIdOf,
  readKey,
  touchKeys,
} from "../databases/keys.ts";
import { type Parts, partsOf, readNear, readSure } from "../databases/parts.ts";
import { isKeyRevoked } from "../databases/revocations.ts";
import type { Config } from "../env.ts";
import { Problem } from "../problem.ts";
import { sealedFor, unseal } from "./sealed.ts";

/** An API key as requests and tokens are checked with it. */
export interface KnownKey {
  id: string;
  accountId: string;
  secret: string;
  revoked: boolean;
  suspended: boolean;
  everyTier: boolean;
  /** What the account may hold at once. */
  caps: ToldCaps;
  /** Whose pages may call for it. */
  origins: string[];
  entitlements: Pick<EntitlementRow, "tier" | "startsAtMs" | "endsAtMs" | "renewsAtMs">[];
}

interface Remembered {
  key: KnownKey;
  readAtMs: number;
  /** A replica said so: it may not know of a revocation yet. */
  replicated: boolean;
}

const keyId = idOf("key");

/** Ids of no key that an isolate remembers. */
const unknownMax = 1000;

/**
 * The keys that this isolate knows. Entries are believed for a minute, so that
 * a request with a known key reads no database; while the accounts do not answer,
 * what was known serves on.
 */
export class KeyRing {
  readonly #config: Config;
  readonly #parts: Parts;
  readonly #keys = new Map<string, Remembered>();
  /**
   * When ids were looked for that no key has. They are kept apart, so that a
   * flood of them pushes no key out.
   */
  readonly #unknown = new Map<string, number>();
  readonly #newest = new Map<string, { keyId: string; readAtMs: number }>();
  /** When keys were used, as far as it is not written yet. */
  readonly #used = new Map<string, number>();
  #usedWrittenAtMs = 0;

  constructor(config: Config) {
    this.#config = config;
    this.#parts = partsOf(config);
  }

  /**
   * Finds a key by its id, revoked ones too.
   * @param purpose at room entry a replica will do, as revocations are asked for
   *   anyway; a call takes the primary's word
   * @throws Problem `unavailable` where the accounts do not answer and it is not known
   */
  async find(id: string, purpose: "entry" | "call"): Promise<KnownKey | undefined> {
    // Text that cannot be a key's id is not worth a question.
    if (!keyId.safeParse(id).success) return undefined;
    const known = this.#keys.get(id);
    const { keyCacheMs, unknownKeyCacheMs, keyStaleMs } = this.#config.settings.accounts;
    const ageMs = known ? Date.now() - known.readAtMs : 0;
    const sure = purpose === "entry" || !known?.replicated;
    if (known && sure && ageMs < keyCacheMs) return known.key;
    const missedAtMs = this.#unknown.get(id);
    if (missedAtMs && Date.now() - missedAtMs < unknownKeyCacheMs) return undefined;
    const read = purpose === "entry" ? readNear : readSure;
    try {
      const { found, replicated } = await read(this.#parts, (client) =>
        readKey(client, id),
      );
      const key = await this.#remember(id, found, replicated);
      return key && replicated && purpose === "call" ? await this.#checked(key) : key;
    } catch (error) {
      if (!(error instanceof Problem) || !known || ageMs > keyStaleMs) throw error;
      return this.#checked(known.key);
    }
  }

  /** Reads a key anew from the primary: what was just bought is not everywhere yet. */
  async refresh(id: string): Promise<KnownKey | undefined> {
    const found = await this.#parts.accounts.use((client) => readKey(client, id));
    return this.#remember(id, found, false);
  }

  /** The key with which tokens of an account are minted where none was used to ask. */
  async newestOf(accountId: string): Promise<KnownKey | undefined> {
    const known = this.#newest.get(accountId);
    const { keyCacheMs } = this.#config.settings.accounts;
    if (known && Date.now() - known.readAtMs < keyCacheMs) {
      const key = await this.find(known.keyId, "call");
      if (key && !key.revoked) return key;
    }
    const id = await this.#newestIdOf(accountId).catch((error: unknown) => {
      // With the accounts down, what was the newest serves on.
      if (!(error instanceof Problem) || !known) throw error;
      return known.keyId;
    });
    if (!id) return undefined;
    this.#newest.set(accountId, { keyId: id, readAtMs: Date.now() });
    return this.find(id, "call");
  }

  /** Forgets a key that was changed here, so that the change acts at once. */
  forget(id: string): void {
    this.#keys.delete(id);
    this.#newest.clear();
  }

  /** Forgets all keys of an account that was changed here. */
  forgetAccount(accountId: string): void {
    for (const [id, { key }] of this.#keys) {
      if (key.accountId === accountId) this.#keys.delete(id);
    }
  }

  /**
   * Notes that a key was used. The database hears of it some minutes apart, and
   * never before the request has its answer.
   * @param later keeps work alive beyond the answer
   */
  used(id: string, later: (work: Promise<unknown>) => void): void {
    const nowMs = Date.now();
    this.#used.set(id, nowMs);
    if (nowMs - this.#usedWrittenAtMs < this.#config.settings.accounts.keyUsedEveryMs) {
      return;
    }
    this.#usedWrittenAtMs = nowMs;
    const used = new Map(this.#used);
    this.#used.clear();
    // It is a hint for people who tidy up: a lost one is no loss.
    later(this.#parts.accounts.use((client) => touchKeys(client, used)).catch(() => {}));
  }

  async #newestIdOf(accountId: string): Promise<string | undefined> {
    const { found } = await readSure(this.#parts, (client) =>
      newestKeyIdOf(client, accountId),
    );
    return found;
  }

  async #remember(
    id: string,
    found: KeyWithAccount | undefined,
    replicated: boolean,
  ): Promise<KnownKey | undefined> {
    this.#keys.delete(id);
    if (!found) {
      setBounded(this.#unknown, id, Date.now(), unknownMax);
      return undefined;
    }
    const key = await this.#open(found);
    const { keyCacheMax } = this.#config.settings.accounts;
    setBounded(this.#keys, id, { key, readAtMs: Date.now(), replicated }, keyCacheMax);
    return key;
  }

  async #open({
    key,
    account,
    entitlements,
    origins,
  }: KeyWithAccount): Promise<KnownKey> {
    const { id, accountId, sealedSecret, revokedAtMs } = key;
    return {
      id,
      accountId,
      secret: await unseal(this.#config, sealedSecret, sealedFor(key)),
      revoked: revokedAtMs !== null,
      suspended: account.state === "suspended",
      everyTier: account.everyTier,
      caps: toldCapsOf(account),
      origins,
      entitlements,
    };
  }

  /** What is old or from a replica may have been revoked: the sessions know that. */
  async #checked(key: KnownKey): Promise<KnownKey> {
    const revoked = await this.#parts.sessions.use((client) =>
      isKeyRevoked(client, key.id),
    );
    return { ...key, revoked: key.revoked || revoked };
  }
}

/** Adds an entry as the newest; the oldest one makes room. */
function setBounded<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  map.delete(key);
  const oldest = map.size >= max ? map.keys().next().value : undefined;
  if (oldest !== undefined) map.delete(oldest);
  map.set(key, value);
}

const rings = new WeakMap<Config, KeyRing>();

/** The isolate's key ring. */
export function keyRingOf(config: Config): KeyRing {
  const known = rings.get(config);
  if (known) return known;
  const made = new KeyRing(config);
  rings.set(config, made);
  return made;
}
