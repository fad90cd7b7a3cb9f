import type { Context, MiddlewareHandler } from "hono";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { hexOf, sameText, sha256 } from "./digest.ts";
import { type Joining, verifyJoinToken } from "./join-tokens.ts";
import { type KnownKey, keyRingOf } from "./key-ring.ts";
import { foreignOriginOf, isSessionsOrigin } from "./origins.ts";
import { verifyEncoder } from "./stream-keys.ts";
import {
  looksLikeSession,
  type NodePrincipal,
  type SessionPrincipal,
  verifyNode,
  verifyReentry,
  verifySession,
} from "./tokens.ts";

/** What the access rules leave for handlers. */
export interface Principals {
  accountId: string;
  /** The key with which an application called. */
  apiKey: KnownKey;
  joining: Joining;
  session: SessionPrincipal;
  node: NodePrincipal;
}

export type AppEnv = { Bindings: Env; Variables: Principals };

/** An application, by `Authorization: Bearer <key id>.<secret>`. */
const apiKey: MiddlewareHandler<AppEnv> = async (c, next) => {
  const [id = "", secret = ""] = bearer(c).split(".");
  const ring = keyRingOf(configOf(c.env));
  const key = await ring.find(id, "call");
  // A secret is compared in any case, so that time tells nothing of who exists.
  const fits = await sameText(secret, key?.secret ?? "");
  if (!key || key.revoked || !fits) throw unknownKey("API key");
  if (key.suspended) throw new Problem("account-suspended");
  ring.used(id, (work) => c.executionCtx.waitUntil(work));
  c.set("accountId", key.accountId);
  c.set("apiKey", key);
  await next();
};

/** The operator, by the operator key, of which only a hash is kept here. */
const operator: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { operatorKeyHashes } = configOf(c.env);
  if (!(await isOneOf(bearer(c), operatorKeyHashes))) throw unknownKey("operator key");
  await next();
};

/** A host that registers, by the zone's node key, kept as a hash too. */
const nodeKey: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { nodeKeyHashes } = configOf(c.env);
  if (!(await isOneOf(bearer(c), nodeKeyHashes))) throw unknownKey("node key");
  await next();
};

/** A registered node, by the credential of its registration. */
const node: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set("node", await verifyNode(configOf(c.env), bearer(c)));
  await next();
};

/** Someone with a join token, or who was in and comes back with their credential. */
const joinToken: MiddlewareHandler<AppEnv> = async (c, next) => {
  const token = bearer(c);
  const config = configOf(c.env);
  const verify = looksLikeSession(token) ? verifyReentry : verifyJoinToken;
  const joining = await verify(config, token);
  const origin = foreignOriginOf(config, c.req.raw);
  // The session is of the page that entered: its calls need no look at the account.
  const here = origin && (await isSessionsOrigin(config, origin, joining));
  c.set("joining", { ...joining, origin: here ? origin : undefined });
  await next();
};

/** An encoder, by a stream key or a join token. */
const encoder: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set("joining", await verifyEncoder(configOf(c.env), bearer(c)));
  await next();
};

/** A participant, by the credential that entering returned. */
const session: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set("session", await verifySession(configOf(c.env), bearer(c)));
  await next();
};

/** A participant about what is theirs, or an application about its rooms. */
const reader: MiddlewareHandler<AppEnv> = (c, next) =>
  looksLikeSession(bearer(c)) ? session(c, next) : apiKey(c, next);

/** Anyone, where the deployment's lobby is open; elsewhere the route is not there. */
const lobby: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!configOf(c.env).lobbyOpen) throw new Problem("not-found");
  await next();
};

/** The payment provider, where payments are taken; its signature is over the body. */
const payments: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (configOf(c.env).stripeSecrets.length === 0) throw new Problem("not-found");
  await next();
};

const anyone: MiddlewareHandler<AppEnv> = async (_, next) => next();

/** Every route names one of these: who may call it. */
export const access = {
  anyone,
  apiKey,
  encoder,
  joinToken,
  lobby,
  node,
  nodeKey,
  operator,
  payments,
  reader,
  session,
};
export type AccessRule = keyof typeof access;

/** Longer than any token: nothing is worked out for what cannot be one. */
const maxHeaderLength = 4096;

function bearer(c: Context): string {
  const header = c.req.header("authorization") ?? "";
  if (!/^bearer /i.test(header)) {
    throw new Problem("unauthenticated", {
      detail: "Send the credential in an Authorization header: Bearer <credential>.",
    });
  }
  if (header.length > maxHeaderLength) {
    throw new Problem("unauthenticated", {
      detail: `No credential is longer than ${maxHeaderLength} characters.`,
    });
  }
  return header.slice(7).trim();
}

function unknownKey(what: string): Problem {
  return new Problem("unauthenticated", { detail: `This ${what} is not known here.` });
}

async function isOneOf(given: string, hashes: string[]): Promise<boolean> {
  const digest = hexOf(await sha256(given));
  const fits = await Promise.all(hashes.map((hash) => sameText(digest, hash)));
  return fits.includes(true);
}
