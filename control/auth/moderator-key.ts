import type { Config } from "../env.ts";
import { hexOf } from "./digest.ts";
import { hmacKeyOf } from "./hmac.ts";

const encoder = new TextEncoder();

/**
 * The key that the lobby gives to whoever opens a room: with it, and only with
 * it, tokens of that room come with `roomAdmin`. It is an HMAC of the room's id
 * under the deployment's secret, so nothing has to be stored for it.
 */
export async function moderatorKeyOf(config: Config, roomId: string): Promise<string> {
  const mac = await crypto.subtle.sign(
    "HMAC",
    await hmacKeyOf(config.secret),
    textOf(roomId),
  );
  return hexOf(new Uint8Array(mac));
}

/** Whether a key is the moderator's of this room; it takes the same time for any. */
export async function isModeratorKey(
  config: Config,
  roomId: string,
  given: string,
): Promise<boolean> {
  if (!/^[0-9a-f]{64}$/.test(given)) return false;
  const mac = Uint8Array.from(given.match(/../g) ?? [], (hex) =>
    Number.parseInt(hex, 16),
  ) as Uint8Array<ArrayBuffer>;
  for (const secret of [config.secret, config.previousSecret]) {
    if (!secret) continue;
    const key = await hmacKeyOf(secret);
    if (await crypto.subtle.verify("HMAC", key, mac, textOf(roomId))) return true;
  }
  return false;
}

// The words before the id keep this apart from all else that the secret signs.
function textOf(roomId: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(encoder.encode(`moderator of ${roomId}`));
}
