import { createHash } from "node:crypto";
import { SignJWT } from "jose";
import type { Member } from "#test/control/api.ts";
import type { Control } from "#test/harness/control.ts";

/* Credentials that open nothing: they were good once, or never were. */

const anHourAgo = () => Math.floor(Date.now() / 1000) - 3600;

/** A join token of ann's whose time is over. */
export function expiredToken(control: Control, roomId: string): Promise<string> {
  const [id = "", secret = ""] = control.keys.api.split(".");
  return new SignJWT({ video: { room: roomId, roomJoin: true } })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(id)
    .setSubject("ann")
    .setExpirationTime(anHourAgo())
    .sign(new TextEncoder().encode(secret));
}

/** A stream key of ann's whose time is over. */
export function expiredStreamKey(control: Control, roomId: string): Promise<string> {
  const grants = { canPublish: true, canSubscribe: false, roomAdmin: false };
  return new SignJWT({ room: roomId, key: control.keys.api.split(".")[0], grants })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience("stream")
    .setSubject("ann")
    .setIssuedAt(anHourAgo() - 3600)
    .setExpirationTime(anHourAgo())
    .sign(new TextEncoder().encode(control.keys.secret));
}

/** A member's credential whose time is over. */
export function expiredSession(control: Control, member: Member): Promise<string> {
  return new SignJWT({ room: member.roomId, identity: member.identity })
    .setProtectedHeader({ alg: "HS256" })
    .setAudience("session")
    .setSubject(member.sessionId)
    .setExpirationTime(anHourAgo())
    .sign(new TextEncoder().encode(control.keys.secret));
}

/** A token that says it needs no signature. */
export function unsigned(claims: Record<string, unknown>): string {
  const part = (value: unknown) =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`;
}

/** Text that looks like a key and is none. */
export function madeUp(seed: string): string {
  return createHash("sha256").update(seed).digest("hex");
}
