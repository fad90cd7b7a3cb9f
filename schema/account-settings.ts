import { z } from "zod";
import { capNames } from "./caps.ts";

const positive = z.number().int().positive();

/** How long a database of the doors may take, and how it is left alone when down. */
const patience = (timeoutMs: number, pauseMs: number) =>
  z
    .object({
      /** A request without an answer for this long has failed. */
      timeoutMs: positive.prefault(timeoutMs),
      /** After a failure it is not asked again for this long. */
      pauseMs: positive.prefault(pauseMs),
    })
    .prefault({});

/** What the databases of accounts, sessions and payments may take. */
export const databaseSettings = z
  .object({
    sessions: patience(1500, 500),
    accounts: patience(2000, 2000),
    /** Room entry waits for it before it asks the primary: keep it short. */
    accountsReplica: patience(300, 10_000),
    premium: patience(5000, 500),
    /** What an isolate found out about whether they answer is told for this long. */
    readyMs: positive.prefault(1000),
  })
  .prefault({});

export const accountSettings = z
  .object({
    /**
     * What an account that has no caps of its own may hold at once in a zone: open
     * rooms, reserved points, sessions, and egress in kbit/s, nominal as views are
     * charged. Null: as much as there is.
     */
    caps: z
      .partialRecord(z.enum(capNames), z.number().int().nonnegative().nullable())
      .prefault({}),
    /** Each isolate believes what it knows of an API key for this long. */
    keyCacheMs: positive.prefault(60_000),
    /** With the accounts database down, what was known of a key serves for this long. */
    keyStaleMs: positive.prefault(3_600_000),
    /** A key that is not there is not looked for again for this long. */
    unknownKeyCacheMs: positive.prefault(5000),
    /** Keys that an isolate remembers. */
    keyCacheMax: positive.prefault(10_000),
    /** Origins whose pages an account may let call. */
    originsMax: positive.prefault(50),
    /** When a key was last used is written this far apart. */
    keyUsedEveryMs: positive.prefault(300_000),
    /** Keys of an account that are not revoked. */
    keysMax: positive.prefault(20),
    /** An account is warned this long before the end of an entitlement. */
    warnBeforeMs: positive.prefault(7 * 86_400_000),
  })
  .prefault({});

export const tokenSettings = z
  .object({
    /** Clocks of applications and hosts may be this far off. */
    leewayMs: positive.prefault(60_000),
    /** A join token may be good for this long at most. */
    joinTtlMaxMs: positive.prefault(86_400_000),
    /** An expired session credential still lets its bearer in again for this long. */
    reentryMs: positive.prefault(600_000),
    /** Revocations are kept for this long at least, and as long as they could matter. */
    revocationKeepMs: positive.prefault(7 * 86_400_000),
  })
  .prefault({});

export const paymentSettings = z
  .object({
    /** A webhook's signature may be this old. */
    toleranceSeconds: positive.prefault(300),
    /** What a subscription pays for goes on for this long when a renewal is late. */
    graceMs: positive.prefault(3 * 86_400_000),
    /** What a single payment buys lasts for this long, unless it says otherwise. */
    days: positive.prefault(30),
    /** Tiers by the provider's price or product ids, for those without metadata. */
    tierOf: z.record(z.string(), z.number().int().min(0).max(63)).prefault({}),
    /** Purchases that one sweep carries to the accounts. */
    carriedMax: positive.prefault(200),
  })
  .prefault({});
