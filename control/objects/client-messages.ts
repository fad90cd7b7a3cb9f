import { clientMessage } from "#schema/channel.ts";
import { isSessionsOrigin } from "../auth/origins.ts";
import { type SessionPrincipal, verifySession } from "../auth/tokens.ts";
import type { Config } from "../env.ts";
import type { Attachment } from "./channel-sockets.ts";

export type ReadMessage = ReturnType<typeof clientMessage.parse>;

/** A message of a client; undefined where it is none. */
export function readMessage(data: string | ArrayBuffer): ReadMessage | undefined {
  try {
    return typeof data === "string" ? clientMessage.parse(JSON.parse(data)) : undefined;
  } catch {
    return undefined;
  }
}

/** Whose credential a hello holds, where it is good for this room and this page. */
export async function whoSaysHello(
  config: Config,
  { roomId, foreignOrigin }: Attachment,
  credential: string,
): Promise<SessionPrincipal | undefined> {
  const principal = await verifySession(config, credential).catch(() => undefined);
  if (principal?.roomId !== roomId) return undefined;
  if (!foreignOrigin) return principal;
  const isHere = await isSessionsOrigin(config, foreignOrigin, principal);
  return isHere ? principal : undefined;
}
