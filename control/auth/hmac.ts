type HmacKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** API keys' secrets come here too, so there is an end to what is remembered. */
const keysMax = 10_000;

// Importing a key costs as much as using it. What is kept are keys and no
// promises of them: those would belong to the request that asked first.
const keys = new Map<string, HmacKey>();

/** The HMAC-SHA-256 key of a secret, imported once. */
export async function hmacKeyOf(secret: Uint8Array): Promise<HmacKey> {
  const name = secret.join();
  const known = keys.get(name);
  if (known) return known;
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const bytes = new Uint8Array(secret);
  const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, [
    "sign",
    "verify",
  ]);
  if (keys.size >= keysMax) keys.clear();
  keys.set(name, key);
  return key;
}
