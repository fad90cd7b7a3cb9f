import type { Context } from "hono";

/**
 * The address from which a request came, as the edge saw it. The edge sets the
 * header itself, so that a client cannot.
 */
export function sourceOf(c: Context): string | undefined {
  return c.req.header("cf-connecting-ip");
}
