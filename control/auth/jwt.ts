import { errors, jwtVerify, SignJWT } from "jose";
import type { z } from "zod";
import { Problem } from "../problem.ts";
import { hmacKeyOf } from "./hmac.ts";

export interface Expected {
  issuer?: string;
  audience?: string;
  /** Seconds for which an expired token is still good, and by which clocks may differ. */
  toleranceSeconds: number;
}

/**
 * Signs claims as a JWT (HS256). The time of issue has milliseconds, so that a
 * token minted just after a revocation is not taken for one from before it.
 * @param expiresAtMs milliseconds since 1970; none for a token without an end
 */
export async function sign(
  secret: Uint8Array,
  claims: Record<string, unknown>,
  of: { issuer?: string; audience?: string; subject: string; expiresAtMs?: number },
): Promise<string> {
  const token = new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(of.subject)
    .setIssuedAt(Date.now() / 1000);
  if (of.issuer) token.setIssuer(of.issuer);
  if (of.audience) token.setAudience(of.audience);
  if (of.expiresAtMs !== undefined) token.setExpirationTime(new Date(of.expiresAtMs));
  return token.sign(await hmacKeyOf(secret));
}

/**
 * Verifies a JWT under the first of several secrets that signed it.
 * @throws Problem `unauthenticated` with what is wrong with it
 */
export async function verify<T>(
  token: string,
  secrets: (Uint8Array | undefined)[],
  claims: z.ZodType<T>,
  { toleranceSeconds, ...expected }: Expected,
): Promise<T> {
  for (const secret of secrets) {
    if (!secret) continue;
    try {
      const { payload } = await jwtVerify(token, await hmacKeyOf(secret), {
        algorithms: ["HS256"],
        clockTolerance: toleranceSeconds,
        ...expected,
      });
      const parsed = claims.safeParse(payload);
      if (parsed.success) return parsed.data;
      const issue = parsed.error.issues[0];
      throw invalid(`The token's ${issue?.path.join(".")}: ${issue?.message}`);
    } catch (error) {
      if (error instanceof Problem) throw error;
      if (error instanceof errors.JWTExpired) throw invalid("The token has expired.");
      // Another secret may have signed it.
      if (error instanceof errors.JWSSignatureVerificationFailed) continue;
      break;
    }
  }
  throw invalid("The token is not valid here.");
}

/** What is wrong with a token. */
export function invalid(detail: string): Problem {
  return new Problem("unauthenticated", { detail });
}
