// Importing a key costs as much as using it, and there are only a few.
const keys = new Map<string, Promise<CryptoKey>>();

/** The HMAC-SHA-256 key of a secret, imported once. */
export function hmacKeyOf(secret: Uint8Array): Promise<CryptoKey> {
  const name = secret.join();
  const known = keys.get(name);
  if (known) return known;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const bytes = new Uint8Array(secret);
  const key = crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign", "verify"]);
  keys.set(name, key);
  return key;
}
