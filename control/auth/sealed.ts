import { Problem } from "../problem.ts";

/** The deployment's secret, and the one before it while that is being replaced. */
export interface Secrets {
  secret: Uint8Array;
  previousSecret: Uint8Array | undefined;
}

const encoder = new TextEncoder();
const ivBytes = 12;

/** An encryption key and the name by which sealed texts refer to it. */
interface SealingKey {
  id: string;
  key: Awaited<ReturnType<typeof crypto.subtle.deriveKey>>;
}

// Deriving costs more than using, and there are only two. A promise would belong
// to the request that asked first, so only what came of it is kept.
const keys = new Map<string, SealingKey>();

/**
 * Encrypts a text with AES-256-GCM under a key derived from the secret.
 * @param about what the text belongs to: it opens for that alone
 */
export async function seal(
  { secret }: Secrets,
  text: string,
  about: string,
): Promise<string> {
  const { id, key } = await sealingKeyOf(secret);
  const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
  const algorithm = { name: "AES-GCM", iv, additionalData: encoder.encode(about) };
  const sealed = await crypto.subtle.encrypt(algorithm, key, encoder.encode(text));
  return [id, toBase64(iv), toBase64(new Uint8Array(sealed))].join(".");
}

/**
 * Decrypts what `seal` made, under the secret or the one before it.
 * @throws Problem `internal` where neither opens it
 */
export async function unseal(
  secrets: Secrets,
  sealed: string,
  about: string,
): Promise<string> {
  const [id, iv = "", data = ""] = sealed.split(".");
  for (const secret of [secrets.secret, secrets.previousSecret]) {
    if (!secret) continue;
    const sealing = await sealingKeyOf(secret);
    if (sealing.id !== id) continue;
    const algorithm = {
      name: "AES-GCM",
      iv: fromBase64(iv),
      additionalData: encoder.encode(about),
    };
    const text = await crypto.subtle.decrypt(algorithm, sealing.key, fromBase64(data));
    return new TextDecoder().decode(text);
  }
  const detail =
    "A secret is sealed under another WEIR_SECRET_KEY: set the former one as WEIR_SECRET_KEY_PREVIOUS.";
  throw new Problem("internal", { detail });
}

/** What the secret of an API key belongs to. */
export function sealedFor({ id, accountId }: { id: string; accountId: string }): string {
  return `api key ${id} of ${accountId}`;
}

/** What the secret of a webhook belongs to. */
export function sealedForWebhook({ id, accountId }: WebhookId): string {
  return `webhook ${id} of ${accountId}`;
}

interface WebhookId {
  id: string;
  accountId: string;
}

/** A webhook's secret; one that was kept before secrets were sealed is as it is. */
export async function unsealWebhook(
  secrets: Secrets,
  webhook: WebhookId & { secret: string },
): Promise<string> {
  const { secret } = webhook;
  if (secret.startsWith("whsec_")) return secret;
  return unseal(secrets, secret, sealedForWebhook(webhook));
}

/** Whether a text is sealed under the secret of today. */
export async function isSealedNow({ secret }: Secrets, sealed: string): Promise<boolean> {
  return sealed.split(".")[0] === (await sealingKeyOf(secret)).id;
}

async function sealingKeyOf(secret: Uint8Array): Promise<SealingKey> {
  const name = secret.join();
  const known = keys.get(name);
  if (known) return known;
  const made = await derive(secret);
  keys.set(name, made);
  return made;
}

async function derive(secret: Uint8Array): Promise<SealingKey> {
  const bytes = new Uint8Array(secret);
  const root = await crypto.subtle.importKey("raw", bytes, "HKDF", false, [
    "deriveKey",
    "deriveBits",
  ]);
  const hkdf = (info: string) => ({
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(),
    info: encoder.encode(info),
  });
  const id = await crypto.subtle.deriveBits(
    hkdf("weir: name of a sealing key"),
    root,
    48,
  );
  const key = await crypto.subtle.deriveKey(
    hkdf("weir: sealing API secrets"),
    root,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
  return { id: toBase64(new Uint8Array(id)), key };
}

function toBase64(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}
