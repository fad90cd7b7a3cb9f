import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { configOf } from "../env.ts";
import type { AppEnv } from "./access.ts";

/**
 * Lets the pages of the origins that the operator allows call the API. A page of
 * another origin is not told that it may, so its browser keeps the answer from it;
 * without a credential it would be refused in any case, and no cookie is read.
 */
export const allowOrigins: MiddlewareHandler<AppEnv> = cors({
  origin: (origin, c) => {
    const { allowedOrigins } = configOf(c.env);
    return allowedOrigins.includes(origin) ? origin : null;
  },
  allowMethods: ["GET", "POST", "PUT", "PATCH", "DELETE"],
  allowHeaders: ["authorization", "content-type", "idempotency-key"],
  exposeHeaders: ["retry-after", "server-timing"],
  maxAge: 86_400,
});
