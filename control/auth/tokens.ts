import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Config } from "../env.ts";
import { Problem } from "../problem.ts";
import { hmacKeyOf } from "./hmac.ts";

/** Clocks of applications and hosts may be this far off. */
const leeway = "60s";

/** What a join token lets its bearer do; the names are LiveKit's. */
export interface Grants {
  canPublish: boolean;
  canSubscribe: boolean;
  roomAdmin: boolean;
}

/** A join token that was verified. */
export interface Joining extends Grants {
  roomId: string;
  identity: string;
  keyId: string;
}

/** A session credential that was verified. */
export interface SessionPrincipal {
  sessionId: string;
  roomId: string;
  identity: string;
}

/** A node credential that was verified. */
export interface NodePrincipal {
  nodeId: string;
  epoch: number;
}

const joinClaims = z.object({
  iss: z.string(),
  sub: z.string().min(1).max(64),
  video: z.object({
    room: z.string(),
    roomJoin: z.literal(true),
    canPublish: z.boolean().default(true),
    canSubscribe: z.boolean().default(true),
    roomAdmin: z.boolean().default(false),
  }),
});
const sessionClaims = z.object({
  sub: z.string(),
  room: z.string(),
  identity: z.string(),
});
const nodeClaims = z.object({ sub: z.string(), epoch: z.number().int() });

/**
 * Mints a join token, as an application's backend can with its API key's
 * secret: HS256, issuer = key id, subject = identity, grants under `video`.
 * @param ttlSeconds seconds for which the token is good
 */
export async function mintJoinToken(
  key: { id: string; secret: string },
  joining: Grants & { roomId: string; identity: string },
  ttlSeconds: number,
): Promise<{ token: string; expiresAt: string }> {
  const { roomId, identity, ...grants } = joining;
  const expires = new Date(Date.now() + ttlSeconds * 1000);
  const token = await new SignJWT({ video: { room: roomId, roomJoin: true, ...grants } })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(key.id)
    .setSubject(identity)
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(await hmacKeyOf(new TextEncoder().encode(key.secret)));
  return { token, expiresAt: expires.toISOString() };
}

/** @throws Problem `unauthenticated` with what is wrong with the token */
export async function verifyJoinToken(config: Config, token: string): Promise<Joining> {
  const secret = new TextEncoder().encode(config.apiKey.secret);
  const { iss, sub, video } = await verify(token, secret, joinClaims, {
    issuer: config.apiKey.id,
  });
  const { room, canPublish, canSubscribe, roomAdmin } = video;
  return { roomId: room, identity: sub, keyId: iss, canPublish, canSubscribe, roomAdmin };
}

/** Signs the credential with which a session makes all its calls. */
export async function signSession(
  config: Config,
  { sessionId, roomId, identity }: SessionPrincipal,
): Promise<{ credential: string; credentialExpiresAt: string }> {
  const expires = new Date(Date.now() + config.settings.timing.credentialTtlMs);
  const credential = await new SignJWT({ room: roomId, identity })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience("session")
    .setSubject(sessionId)
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(await hmacKeyOf(config.secret));
  return { credential, credentialExpiresAt: expires.toISOString() };
}

/** @throws Problem `unauthenticated` */
export async function verifySession(
  config: Config,
  token: string,
): Promise<SessionPrincipal> {
  const audience = { audience: "session" };
  const { sub, room, identity } = await verify(
    token,
    config.secret,
    sessionClaims,
    audience,
  );
  return { sessionId: sub, roomId: room, identity };
}

/** Signs the credential of a node's registration; it holds for that epoch only. */
export async function signNode(
  config: Config,
  { nodeId, epoch }: NodePrincipal,
): Promise<string> {
  return new SignJWT({ epoch })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience("node")
    .setSubject(nodeId)
    .setIssuedAt()
    .sign(await hmacKeyOf(config.secret));
}

/** @throws Problem `unauthenticated` */
export async function verifyNode(config: Config, token: string): Promise<NodePrincipal> {
  const audience = { audience: "node" };
  const { sub, epoch } = await verify(token, config.secret, nodeClaims, audience);
  return { nodeId: sub, epoch };
}

async function verify<T>(
  token: string,
  secret: Uint8Array,
  claims: z.ZodType<T>,
  expected: { issuer?: string; audience?: string },
): Promise<T> {
  try {
    const { payload } = await jwtVerify(token, await hmacKeyOf(secret), {
      algorithms: ["HS256"],
      clockTolerance: leeway,
      ...expected,
    });
    return claims.parse(payload);
  } catch (error) {
    const expired = error instanceof errors.JWTExpired;
    const detail = expired ? "The token has expired." : "The token is not valid here.";
    throw new Problem("unauthenticated", { detail });
  }
}
