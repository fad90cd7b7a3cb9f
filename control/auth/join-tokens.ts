import { decodeJwt, decodeProtectedHeader } from "jose";
import { z } from "zod";
import type { ToldCaps } from "#schema/caps.ts";
import { type TrackSource, trackSource } from "#schema/media.ts";
import type { Config } from "../env.ts";
import { Problem } from "../problem.ts";
import { invalid, verify } from "./jwt.ts";
import { keyRingOf } from "./key-ring.ts";
import type { Grants } from "./mint.ts";

/** A join token that was verified, or a session's credential that came instead. */
export interface Joining extends Grants {
  roomId: string;
  identity: string;
  keyId: string;
  /** The account of the key; a credential needs none, its room is certain. */
  accountId?: string;
  /** What that account may hold at once, for the zone to know. */
  caps?: ToldCaps;
  /** Milliseconds since 1970: what was revoked after this is void. */
  issuedAtMs: number;
  /** The page's origin at which a session entered, where its account allows it. */
  origin?: string;
  /** The session that the credential was of, which the new one replaces. */
  replaces?: string;
}

/** A longer text is no token of ours. */
const tokenMax = 4096;

// LiveKit's names for the sources that are called otherwise here.
const livekitSources: Record<string, TrackSource> = {
  screen_share: "screen",
  screen_share_audio: "screen-audio",
};

const source = z
  .string()
  .transform((name) => livekitSources[name] ?? name)
  .pipe(trackSource);

/** Grants as a token carries them. */
export const grantClaims = z.object({
  canPublish: z.boolean().default(true),
  canPublishSources: z.array(source).max(16).optional(),
  canSubscribe: z.boolean().default(true),
  roomAdmin: z.boolean().default(false),
});

const joinClaims = z.object({
  iss: z.string(),
  sub: z.string().min(1).max(64),
  exp: z.number(),
  iat: z.number().optional(),
  video: grantClaims.extend({ room: z.string(), roomJoin: z.literal(true) }),
});

/**
 * Verifies a join token: everything that needs no database first.
 * @throws Problem `unauthenticated` with what is wrong with the token,
 *   `unavailable` where its key is not known and the accounts do not answer
 */
export async function verifyJoinToken(config: Config, token: string): Promise<Joining> {
  const { leewayMs, joinTtlMaxMs } = config.settings.tokens;
  const keyId = issuerOf(token, leewayMs);
  const key = await keyRingOf(config).find(keyId, "entry");
  if (!key || key.revoked) throw invalid("The token's key is not known here.");
  const { sub, exp, iat, video } = await verify(
    token,
    [new TextEncoder().encode(key.secret)],
    joinClaims,
    { issuer: keyId, toleranceSeconds: leewayMs / 1000 },
  );
  if (key.suspended) throw new Problem("account-suspended");
  const nowMs = Date.now();
  if (iat !== undefined && iat * 1000 > nowMs + leewayMs) {
    throw invalid("The token's iat lies in the future.");
  }
  // Without iat it may have been minted now, at the earliest that matters.
  if (exp * 1000 - (iat === undefined ? nowMs : iat * 1000) > joinTtlMaxMs + leewayMs) {
    const hours = joinTtlMaxMs / 3_600_000;
    throw invalid(`The token is good for too long: at most ${hours} hours from iat.`);
  }
  const { room, roomJoin: _, ...grants } = video;
  return {
    ...grants,
    roomId: room,
    identity: sub,
    keyId,
    accountId: key.accountId,
    caps: key.caps,
    // A token that does not say when it was issued is older than any revocation.
    issuedAtMs: iat === undefined ? 0 : Math.round(iat * 1000),
  };
}

/** The key that a token names; what cannot be good is refused before any look-up. */
function issuerOf(token: string, leewayMs: number): string {
  if (token.length > tokenMax) throw invalid("The token is too long.");
  let claims: ReturnType<typeof decodeJwt>;
  try {
    if (decodeProtectedHeader(token).alg !== "HS256") throw invalid("not HS256");
    claims = decodeJwt(token);
  } catch {
    throw invalid("The token is not valid here.");
  }
  const parsed = joinClaims.safeParse(claims);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(`The token's ${issue?.path.join(".")}: ${issue?.message}`);
  }
  if (parsed.data.exp * 1000 < Date.now() - leewayMs) {
    throw invalid("The token has expired.");
  }
  return parsed.data.iss;
}
