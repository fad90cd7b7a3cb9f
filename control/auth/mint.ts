import type { TrackSource } from "#schema/media.ts";
import { sign } from "./jwt.ts";

/** What a token lets its bearer do; the names are LiveKit's. */
export interface Grants {
  canPublish: boolean;
  /** What may be sent; absent: everything. */
  canPublishSources?: TrackSource[];
  canSubscribe: boolean;
  roomAdmin: boolean;
}

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
  // A token's end is a whole second.
  const expiresAtMs = Math.floor(Date.now() / 1000 + ttlSeconds) * 1000;
  const token = await sign(
    new TextEncoder().encode(key.secret),
    { video: { room: roomId, roomJoin: true, ...grants } },
    { issuer: key.id, subject: identity, expiresAtMs },
  );
  return { token, expiresAt: new Date(expiresAtMs).toISOString() };
}
