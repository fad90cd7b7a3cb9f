import { signSession } from "../auth/tokens.ts";
import type { Config } from "../env.ts";
import { iceServersFor } from "../services/ice-servers.ts";
import { attachmentOf, type ChannelSockets } from "./channel-sockets.ts";

/**
 * Sends a session its fresh credential. A socket that is open and has said hello
 * is the session's word: no database is asked, so that credentials stay fresh
 * while one is down.
 */
export async function renewCredential(
  config: Config,
  sockets: ChannelSockets,
  socket: WebSocket,
): Promise<void> {
  const { sessionId, roomId, identity, holder } = attachmentOf(socket) ?? {};
  if (!sessionId || !roomId || !identity || !holder) return;
  const [renewed, iceServers] = await Promise.all([
    signSession(config, { sessionId, roomId, identity, ...holder }),
    iceServersFor(config, identity),
  ]);
  sockets.send(socket, { type: "credential", ...renewed, iceServers });
}
