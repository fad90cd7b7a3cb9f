import type { Context } from "hono";
import type { AppEnv } from "../auth/access.ts";
import { ServerTiming } from "../services/server-timing.ts";
import type { Asking } from "../services/watch.ts";

/** What a request for views brings along besides its content. */
export function askingOf(c: Context<AppEnv>): Asking {
  const later = (work: Promise<unknown>) => c.executionCtx.waitUntil(work);
  return { later, timing: new ServerTiming() };
}
