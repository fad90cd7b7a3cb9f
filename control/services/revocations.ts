import { zoneOf } from "#schema/ids.ts";
import type { Joining } from "../auth/join-tokens.ts";
import { partsOf } from "../databases/parts.ts";
import { insertRevocation, isRevoked } from "../databases/revocations.ts";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { ask } from "./ask.ts";

/**
 * Lets a token pass that is not revoked: one read, and nothing is remembered, so
 * that a revocation acts at once.
 * @throws Problem `revoked`, or `unavailable` where the sessions do not answer
 */
export async function requireUnrevoked(env: Env, joining: Joining): Promise<void> {
  const { sessions } = partsOf(configOf(env));
  if (!(await sessions.use((client) => isRevoked(client, joining)))) return;
  throw new Problem("revoked", { detail: "Ask the application for a new token." });
}

/**
 * Voids an identity's tokens and credentials for a room that were issued before
 * a moment, and ends the sessions that it has there.
 * @param before the moment; now unless given, and never later
 * @returns the moment, and the sessions that ended
 */
export async function revokeTokens(
  env: Env,
  accountId: string,
  roomId: string,
  { identity, before, endSessions }: Revoking,
): Promise<{ identity: string; before: string; sessions: string[] }> {
  const zone = zoneOf(roomId) ?? "";
  await ask(env, zone, "readRoom", { roomId, accountId });
  const nowMs = Date.now();
  const beforeMs = before === undefined ? nowMs : Date.parse(before);
  if (beforeMs > nowMs + configOf(env).settings.tokens.leewayMs) {
    const message = "lies in the future: revoking concerns what was issued already";
    throw new Problem("validation-failed", { errors: [{ path: "before", message }] });
  }
  await writeRevocation(env, { roomId, identity, beforeMs, atMs: nowMs });
  // The row first: whoever is sent out cannot come in again with the same token.
  const ended = endSessions
    ? await ask(env, zone, "endIdentity", { roomId, accountId, identity })
    : { sessions: [] };
  return { identity, before: new Date(beforeMs).toISOString(), ...ended };
}

interface Revoking {
  identity: string;
  before?: string;
  endSessions: boolean;
}

/**
 * Voids what an identity has for a room up to now, for a moderator.
 * @returns why it could not be done, if so
 */
export async function voidTokens(
  env: Env,
  roomId: string,
  identity: string,
): Promise<string | undefined> {
  const atMs = Date.now();
  try {
    await writeRevocation(env, { roomId, identity, beforeMs: atMs, atMs });
    return undefined;
  } catch (error) {
    if (error instanceof Problem) return error.message;
    throw error;
  }
}

async function writeRevocation(
  env: Env,
  row: Parameters<typeof insertRevocation>[1],
): Promise<void> {
  const { sessions } = partsOf(configOf(env));
  await sessions.use((client) => insertRevocation(client, row));
}
