import { createHmac } from "node:crypto";
import { bodyOf } from "#test/control/api.ts";
import type { CallAnswer, Control } from "#test/harness/control.ts";

/** An account as the operator made it, and a key of it. */
export interface TestAccount {
  id: string;
  apiKey: string;
}

/** Calls as the operator. */
export function asOperator(
  control: Control,
  method: string,
  path: string,
  body?: unknown,
): Promise<CallAnswer> {
  return control.call(method, path, { key: control.keys.operator, body });
}

/** Adds an account, entitled to everything unless told otherwise. */
export async function addAccount(
  control: Control,
  name: string,
  everyTier = true,
): Promise<TestAccount> {
  const answer = await asOperator(control, "POST", "/v1/accounts", { name, everyTier });
  const { id, key } = bodyOf(answer, 201);
  return { id, apiKey: key.apiKey };
}

/** Opens a room with an account's key. */
export async function openRoomAs(
  control: Control,
  { apiKey: key }: TestAccount,
  tier = 0,
): Promise<string> {
  return bodyOf(await control.call("POST", "/v1/rooms", { key, body: { tier } }), 201).id;
}

export interface OfflineToken {
  /** `<key id>.<secret>`. */
  apiKey: string;
  identity?: string;
  video: Record<string, unknown>;
  /** Seconds since 1970. Default: now; null leaves it out. */
  iat?: number | null;
  /** Default: a minute from now. */
  exp?: number;
}

/**
 * Mints a join token as an application's backend may, with nothing but the
 * secret and an HMAC: no library that control uses has a part in it.
 */
export function mintByHand({ apiKey, identity, video, iat, exp }: OfflineToken): string {
  const [issuer = "", secret = ""] = apiKey.split(".");
  const now = Date.now() / 1000;
  const part = (value: unknown) =>
    Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    iss: issuer,
    sub: identity ?? "ann",
    exp: exp ?? Math.floor(now + 60),
    ...(iat === null ? {} : { iat: iat ?? now }),
    video: { roomJoin: true, ...video },
  };
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  const mac = createHmac("sha256", secret).update(signed).digest("base64url");
  return `${signed}.${mac}`;
}
