import { createHash, randomBytes, randomInt } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LaunchError } from "./config.ts";

const keysSchema = z.object({
  /** `<key id>.<secret>` of the account that the first start makes. */
  api: z.string(),
  operator: z.string(),
  /** With it agents register. */
  node: z.string(),
  /** Under it API secrets are encrypted at rest: 64 hex digits. */
  secret: z.string(),
});
export type Keys = z.infer<typeof keysSchema>;

const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

/** Makes a fresh set of keys for a zone. */
export function makeKeys(zone: string): Keys {
  return {
    api: `key_${zone}_${randomText(16)}.${randomText(40)}`,
    operator: `op_${randomText(40)}`,
    node: `nk_${randomText(40)}`,
    secret: randomBytes(32).toString("hex"),
  };
}

/**
 * The keys of a data folder: those given, else those kept, else fresh ones, which
 * are kept for the next start in a file that only its owner may read.
 * @param folder the data folder
 * @param zone the zone that an API key names
 * @param given keys that the environment names
 * @throws LaunchError where the file holds something else
 */
export function loadKeys(folder: string, zone: string, given: Partial<Keys>): Keys {
  const file = join(folder, "keys.json");
  let kept: Keys;
  if (existsSync(file)) {
    const read = keysSchema.safeParse(parseJson(readFileSync(file, "utf8")));
    if (!read.success) {
      throw new LaunchError(`${file} holds no keys: remove it and fresh ones are made`);
    }
    kept = read.data;
  } else {
    kept = makeKeys(zone);
    writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  }
  const named = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...kept, ...Object.fromEntries(named) };
}

/** Replaces the kept API key, after the former was revoked. */
export function replaceApiKey(folder: string, zone: string, keys: Keys): Keys {
  const replaced = { ...keys, api: makeKeys(zone).api };
  writeFileSync(join(folder, "keys.json"), `${JSON.stringify(replaced, null, 2)}\n`);
  return replaced;
}

/** What control is told of the operator key: its SHA-256, in hex. */
export function hashOfKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

function randomText(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
