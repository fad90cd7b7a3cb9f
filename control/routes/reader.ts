import type { Context } from "hono";
import type { AppEnv } from "../auth/access.ts";
import type { Reader } from "../services/stats.ts";

/** Whom the access rule `reader` let in: the session or, without one, the account. */
export function readerOf(c: Context<AppEnv>): Reader {
  const { session, accountId } = c.var as Partial<AppEnv["Variables"]>;
  if (session) return { session };
  if (accountId) return { accountId };
  throw new Error("The route does not have the access rule reader.");
}
