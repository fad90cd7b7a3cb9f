import type { Context } from "hono";
import type { AppEnv } from "../auth/access.ts";
import { hexOf, sha256 } from "../auth/digest.ts";
import type { IdempotencyScope } from "../broker/requests.ts";
import { Problem } from "../problem.ts";

/** A client's key is at most this long. */
const maxKeyLength = 64;

/**
 * Reads the `Idempotency-Key` header. A repeated request with the same key and
 * body returns its first claim; with another body it is refused.
 * @param principal who asks: another's key is another key
 * @param roomId the room that keeps the key, for 24 h
 */
export async function idempotencyOf(
  c: Context<AppEnv>,
  principal: string,
  roomId: string,
): Promise<IdempotencyScope | undefined> {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return undefined;
  if (key.length < 1 || key.length > maxKeyLength) {
    throw new Problem("validation-failed", {
      errors: [
        { path: "Idempotency-Key", message: `has 1 to ${maxKeyLength} characters` },
      ],
    });
  }
  const bodyHash = hexOf(await sha256(await c.req.arrayBuffer()));
  return { roomId, key: `${principal} ${c.req.method} ${c.req.path} ${key}`, bodyHash };
}
