import type { Context, MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { isWebOrigin } from "#schema/web-origin.ts";
import { isSomeAccounts } from "../databases/origins.ts";
import { partsOf, readNear } from "../databases/parts.ts";
import { type Config, configOf } from "../env.ts";
import { Problem } from "../problem.ts";
import type { AppEnv } from "./access.ts";
import { keyRingOf } from "./key-ring.ts";
import { limitAddress } from "./limits.ts";

/*
 * Which pages may call, by where they come from. The deployment's own setting
 * holds everywhere; an account's origins hold for what is the account's.
 *
 * A preflight carries no credential, so nobody can tell whose call it is about: it
 * is answered for every origin that some account allows, on those paths that
 * accounts and their participants call. It lets a page send, and no more: what it
 * sends needs a bearer's credential, as no cookie is read, and its answer can be
 * read only where the account of that very credential allows the origin. The
 * lobby's, the operator's and the hosts' paths follow the deployment alone, since
 * the lobby takes no credential that a foreign page would lack.
 *
 * A session's credential names the origin at which it entered, so that who is in
 * needs no database of accounts.
 */

const forAccounts =
  /^\/v1\/(rooms|sessions|broadcasts|views|transports|account|webhooks)(\/|$)/;

/** Answers preflights, and tells pages which answers they may read. */
export const allowOrigins: MiddlewareHandler<AppEnv> = async (c, next) => {
  const origin = c.req.header("origin");
  if (!origin || origin === new URL(c.req.url).origin) return next();
  if (c.req.method === "OPTIONS") {
    return limitAddress("anyone")(c, async () => {
      c.res = (await preflight(c, next)) ?? c.res;
    });
  }
  await next();
  if (await mayRead(c, origin)) await tell(c, async () => {});
  else c.res.headers.append("vary", "Origin");
};

/** Whether pages of an origin may call in the name of an account's key. */
export async function isKeysOrigin(
  config: Config,
  origin: string,
  keyId: string,
): Promise<boolean> {
  const key = await keyRingOf(config).find(keyId, "entry").catch(notWhenDown);
  return key?.origins.includes(origin) ?? false;
}

/** Whether a session that entered at one origin may be used at another. */
export async function isSessionsOrigin(
  config: Config,
  origin: string,
  session: { origin?: string; keyId: string },
): Promise<boolean> {
  return session.origin === origin || isKeysOrigin(config, origin, session.keyId);
}

interface Believed {
  allowed: boolean;
  atMs: number;
}

const books = new WeakMap<Config, Map<string, Believed>>();

function bookOf(config: Config): Map<string, Believed> {
  const book = books.get(config) ?? new Map<string, Believed>();
  books.set(config, book);
  return book;
}

/** Origins that an isolate remembers. */
const originsMax = 2000;

/**
 * Whether some account lets pages of an origin call.
 * @returns undefined where it is not known and the accounts do not answer
 */
export async function isAnyonesOrigin(
  config: Config,
  origin: string,
): Promise<boolean | undefined> {
  const book = bookOf(config);
  const known = book.get(origin);
  const { keyCacheMs, unknownKeyCacheMs } = config.settings.accounts;
  const goodMs = known?.allowed ? keyCacheMs : unknownKeyCacheMs;
  if (known && Date.now() - known.atMs < goodMs) return known.allowed;
  // Browsers write an origin in one way only: what is written otherwise is nobody's.
  if (!isWebOrigin(origin)) return false;
  const read = await readNear(partsOf(config), async (client) =>
    (await isSomeAccounts(client, origin)) ? true : undefined,
  ).catch(notWhenDown);
  if (!read) return known?.allowed;
  const allowed = read.found ?? false;
  book.delete(origin);
  const oldest = book.size >= originsMax ? book.keys().next().value : undefined;
  if (oldest !== undefined) book.delete(oldest);
  book.set(origin, { allowed, atMs: Date.now() });
  return allowed;
}

/** An account's origins were changed here. */
export function forgetOrigins(config: Config): void {
  books.delete(config);
}

/**
 * Whether a page may open the channel, as far as can be told before its hello:
 * where the accounts do not answer, the hello's credential decides alone.
 */
export async function mayOpen(c: Context<AppEnv>): Promise<boolean> {
  const config = configOf(c.env);
  const foreign = foreignOriginOf(config, c.req.raw);
  return !foreign || (await isAnyonesOrigin(config, foreign)) !== false;
}

/** The origin of the page that opens a channel, where its account has to allow it. */
export function foreignOriginOf(config: Config, request: Request): string | undefined {
  const origin = request.headers.get("origin");
  const own = [new URL(request.url).origin, ...config.allowedOrigins];
  return origin && !own.includes(origin) ? origin : undefined;
}

const preflight = answering(async (origin, c) => {
  const config = configOf(c.env);
  if (config.allowedOrigins.includes(origin)) return origin;
  if (!forAccounts.test(c.req.path)) return null;
  return (await isAnyonesOrigin(config, origin)) === false ? null : origin;
});
const tell = answering((origin) => origin);

function answering(
  origin: (origin: string, c: Context<AppEnv>) => string | null | Promise<string | null>,
): MiddlewareHandler<AppEnv> {
  return cors({
    origin,
    allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
    allowHeaders: ["authorization", "content-type", "idempotency-key"],
    exposeHeaders: ["retry-after", "server-timing"],
    // What browsers keep at most; it lets a page send, and read nothing.
    maxAge: 7200,
  });
}

/** Whether an answer is for pages of this origin: its caller's account decides. */
async function mayRead(c: Context<AppEnv>, origin: string): Promise<boolean> {
  const config = configOf(c.env);
  if (config.allowedOrigins.includes(origin)) return true;
  if (!forAccounts.test(c.req.path)) return false;
  const { apiKey, joining, session } = c.var as Partial<AppEnv["Variables"]>;
  if (apiKey) return apiKey.origins.includes(origin);
  const bearer = session ?? joining;
  if (bearer) return isSessionsOrigin(config, origin, bearer);
  // Refused before it was known whose: the page that it may be for can read why. Who
  // comes too fast costs no look at a database, whatever origin it names.
  if (c.res.status === 429) return bookOf(config).get(origin)?.allowed === true;
  return c.res.status >= 400 && (await isAnyonesOrigin(config, origin)) === true;
}

function notWhenDown(error: unknown): undefined {
  if (!(error instanceof Problem)) throw error;
  return undefined;
}
