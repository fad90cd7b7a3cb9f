import type { Context, MiddlewareHandler } from "hono";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";
import {
  type Joining,
  type NodePrincipal,
  type SessionPrincipal,
  verifyJoinToken,
  verifyNode,
  verifySession,
} from "./tokens.ts";

/** What the access rules leave for handlers. */
export interface Principals {
  accountId: string;
  joining: Joining;
  session: SessionPrincipal;
  node: NodePrincipal;
}

export type AppEnv = { Bindings: Env; Variables: Principals };

/** The account that the deployment's one application key belongs to. */
export const localAccountId = "account_local_first";

/** An application, by `Authorization: Bearer <key id>.<secret>`. */
const apiKey: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { id, secret } = configOf(c.env).apiKey;
  if (!(await sameText(bearer(c), `${id}.${secret}`))) throw unknownKey("API key");
  c.set("accountId", localAccountId);
  await next();
};

/** The operator, by the operator key. */
const operator: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!(await sameText(bearer(c), configOf(c.env).operatorKey))) {
    throw unknownKey("operator key");
  }
  await next();
};

/** A host that registers, by the zone's node key. */
const nodeKey: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!(await sameText(bearer(c), configOf(c.env).nodeKey))) throw unknownKey("node key");
  await next();
};

/** A registered node, by the credential of its registration. */
const node: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set("node", await verifyNode(configOf(c.env), bearer(c)));
  await next();
};

/** Someone with a join token. */
const joinToken: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set("joining", await verifyJoinToken(configOf(c.env), bearer(c)));
  await next();
};

/** A participant, by the credential that entering returned. */
const session: MiddlewareHandler<AppEnv> = async (c, next) => {
  c.set("session", await verifySession(configOf(c.env), bearer(c)));
  await next();
};

/** Anyone, where the deployment's lobby is open; elsewhere the route is not there. */
const lobby: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (!configOf(c.env).lobbyOpen) throw new Problem("not-found");
  await next();
};

const anyone: MiddlewareHandler<AppEnv> = async (_, next) => next();

/** Every route names one of these: who may call it. */
export const access = {
  anyone,
  apiKey,
  joinToken,
  lobby,
  node,
  nodeKey,
  operator,
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

/** Compares digests, so that the time it takes tells nothing about the secret. */
async function sameText(given: string, expected: string): Promise<boolean> {
  const encoder = new TextEncoder();
  const [a, b] = await Promise.all(
    [given, expected].map((text) =>
      crypto.subtle.digest("SHA-256", encoder.encode(text)),
    ),
  );
  if (!a || !b) return false;
  const left = new Uint8Array(a);
  const right = new Uint8Array(b);
  return left.every((byte, at) => byte === right[at]);
}
