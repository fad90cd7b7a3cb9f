import { decodeJwt } from "jose";
import { z } from "zod";
import type { Config } from "../env.ts";
import { grantClaims, type Joining, verifyJoinToken } from "./join-tokens.ts";
import { sign, verify } from "./jwt.ts";
import type { SessionPrincipal } from "./tokens.ts";

/*
 * A stream key is what is pasted into an encoder such as OBS: it lets its bearer
 * publish into one room under one identity, and do nothing else. A revocation of
 * that identity, or of the application's key, voids it too.
 */

const audience = "stream";
const claims = z.object({
  sub: z.string().min(1).max(64),
  iat: z.number(),
  room: z.string(),
  key: z.string(),
  grants: grantClaims,
});

/** Mints a session's key; see `timing.streamKeyTtlMs` for how long it is good. */
export async function mintStreamKey(
  config: Config,
  { roomId, identity, keyId, grants }: SessionPrincipal,
): Promise<{ key: string; expiresAt: string }> {
  const expiresAtMs = Date.now() + config.settings.timing.streamKeyTtlMs;
  const { canPublishSources } = grants;
  const publishing = { canPublishSources, canSubscribe: false, roomAdmin: false };
  const key = await sign(
    config.secret,
    { room: roomId, key: keyId, grants: { canPublish: true, ...publishing } },
    { audience, subject: identity, expiresAtMs },
  );
  return { key, expiresAt: new Date(expiresAtMs).toISOString() };
}

/**
 * Verifies an encoder's credential: a stream key or a join token.
 * @throws Problem `unauthenticated`
 */
export async function verifyEncoder(config: Config, token: string): Promise<Joining> {
  if (!isStreamKey(token)) return verifyJoinToken(config, token);
  const { secret, previousSecret, settings } = config;
  const read = await verify(token, [secret, previousSecret], claims, {
    audience,
    toleranceSeconds: settings.tokens.leewayMs / 1000,
  });
  const { sub: identity, room: roomId, key: keyId, grants, iat } = read;
  return { ...grants, roomId, identity, keyId, issuedAtMs: Math.round(iat * 1000) };
}

function isStreamKey(token: string): boolean {
  try {
    return decodeJwt(token).aud === audience;
  } catch {
    return false;
  }
}
