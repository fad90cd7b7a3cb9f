/** SHA-256 of bytes, or of a text's UTF-8. */
export async function sha256(of: string | ArrayBuffer): Promise<Uint8Array> {
  const bytes = typeof of === "string" ? new TextEncoder().encode(of) : of;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** Bytes in hexadecimal, two digits each. */
export function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Whether two texts are the same. It compares digests, so that the time it takes
 * tells nothing about the secret.
 */
export async function sameText(given: string, expected: string): Promise<boolean> {
  const [left, right] = await Promise.all([sha256(given), sha256(expected)]);
  return left.every((byte, at) => byte === right[at]);
}
