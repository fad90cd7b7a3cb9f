import type { Config, IceServer } from "../env.ts";

// coturn's time-limited secrets are HMAC-SHA-1; importing the key costs most.
let key: { secret: string; imported: Promise<CryptoKey> } | undefined;

/**
 * The STUN and TURN servers for one client: those of the settings, and with
 * `WEIR_TURN_SECRET` the TURN server under a name and password of the client's
 * own, which are good for `timing.turnTtlMs`. As coturn's `use-auth-secret` has
 * it, the name is the time of its end and the identity, and the password its MAC.
 */
export async function iceServersFor(
  config: Config,
  identity: string,
): Promise<IceServer[]> {
  const { iceServers, turn, settings } = config;
  if (!turn) return iceServers;
  const endsAt = Math.floor((Date.now() + settings.timing.turnTtlMs) / 1000);
  // A colon in it would end the time, so it is written as a URL would have it.
  const username = `${endsAt}:${encodeURIComponent(identity)}`;
  const text = new TextEncoder().encode(username);
  const mac = await crypto.subtle.sign("HMAC", await keyOf(turn.secret), text);
  const credential = btoa(String.fromCharCode(...new Uint8Array(mac)));
  return [...iceServers, { urls: turn.urls, username, credential }];
}

function keyOf(secret: string): Promise<CryptoKey> {
  if (key?.secret === secret) return key.imported;
  const bytes = new TextEncoder().encode(secret);
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const imported = crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign"]);
  key = { secret, imported };
  return imported;
}
