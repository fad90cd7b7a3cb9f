import { decodeJwt } from "jose";
import { z } from "zod";
import type { Config } from "../env.ts";
import { grantClaims, type Joining } from "./join-tokens.ts";
import { sign, verify } from "./jwt.ts";
import type { Grants } from "./mint.ts";

/** A session credential that was verified. */
export interface SessionPrincipal {
  sessionId: string;
  roomId: string;
  identity: string;
  /** What renewed credentials say on: the key of the join token, and its grants. */
  keyId: string;
  grants: Grants;
  /** The page's origin at which it entered, where its account allows that. */
  origin?: string;
}

/** A node credential that was verified. */
export interface NodePrincipal {
  nodeId: string;
  epoch: number;
}

const sessionClaims = z.object({
  sub: z.string(),
  iat: z.number(),
  exp: z.number(),
  room: z.string(),
  identity: z.string(),
  key: z.string(),
  grants: grantClaims,
  origin: z.string().optional(),
});
const nodeClaims = z.object({ sub: z.string(), epoch: z.number().int() });

/** Signs the credential with which a session makes all its calls. */
export async function signSession(
  config: Config,
  { sessionId, roomId, identity, keyId, grants, origin }: SessionPrincipal,
): Promise<{ credential: string; credentialExpiresAt: string }> {
  const expiresAtMs = Date.now() + config.settings.timing.credentialTtlMs;
  const credential = await sign(
    config.secret,
    { room: roomId, identity, key: keyId, grants, origin },
    { audience: "session", subject: sessionId, expiresAtMs },
  );
  return { credential, credentialExpiresAt: new Date(expiresAtMs).toISOString() };
}

/** @throws Problem `unauthenticated` */
export async function verifySession(
  config: Config,
  token: string,
): Promise<SessionPrincipal> {
  const claims = await verifyClaims(config, token, config.settings.tokens.leewayMs);
  const { sub, room, identity, key, grants, origin } = claims;
  return { sessionId: sub, roomId: room, identity, keyId: key, grants, origin };
}

/**
 * Takes a session's credential in place of a join token, also some minutes after
 * its end: its bearer was let in once, and comes back.
 * @throws Problem `unauthenticated`
 */
export async function verifyReentry(config: Config, token: string): Promise<Joining> {
  const { leewayMs, reentryMs } = config.settings.tokens;
  const claims = await verifyClaims(config, token, Math.max(leewayMs, reentryMs));
  return {
    ...claims.grants,
    roomId: claims.room,
    identity: claims.identity,
    keyId: claims.key,
    issuedAtMs: Math.round(claims.iat * 1000),
    replaces: claims.sub,
    origin: claims.origin,
  };
}

/** Whether a token says that it is a session's credential. */
export function looksLikeSession(token: string): boolean {
  try {
    return decodeJwt(token).aud === "session";
  } catch {
    return false;
  }
}

/** Signs the credential of a node's registration; it holds for that epoch only. */
export function signNode(
  config: Config,
  { nodeId, epoch }: NodePrincipal,
): Promise<string> {
  return sign(config.secret, { epoch }, { audience: "node", subject: nodeId });
}

/** @throws Problem `unauthenticated` */
export async function verifyNode(config: Config, token: string): Promise<NodePrincipal> {
  const { sub, epoch } = await verify(token, secretsOf(config), nodeClaims, {
    audience: "node",
    toleranceSeconds: config.settings.tokens.leewayMs / 1000,
  });
  return { nodeId: sub, epoch };
}

function verifyClaims(config: Config, token: string, toleranceMs: number) {
  return verify(token, secretsOf(config), sessionClaims, {
    audience: "session",
    toleranceSeconds: toleranceMs / 1000,
  });
}

/** What was signed before the secret was replaced is good until it expires. */
function secretsOf({ secret, previousSecret }: Config) {
  return [secret, previousSecret];
}
