import type { ServerMessage } from "#schema/channel.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";

/** What is known of a socket; it survives the object's hibernation. */
export interface Attachment {
  roomId: string;
  openedAtMs: number;
  /** From where it was opened, until it has said who it is. */
  address?: string;
  /** The origin of the page that opened it, where the deployment does not allow it. */
  foreignOrigin?: string;
  /** Set once the socket has authenticated. */
  sessionId?: string;
  identity: string;
  roomAdmin: boolean;
  /** What the session's credentials say on; set with the session. */
  holder?: Pick<SessionPrincipal, "keyId" | "grants" | "origin">;
  /** The last events of the room's and the session's stream that were sent. */
  sentSeq: number;
  sentOwnSeq: number;
}

export type RefusedCode = Extract<ServerMessage, { type: "refused" }>["code"];

/** WebSocket close codes of this channel, beside the standard's. */
export const closeCodes = { malformed: 4400, noHello: 4401, refused: 4403, ended: 4410 };

/**
 * The authenticated sockets of a channel object, by room. It is only memory:
 * an object that woke fills it again from the sockets' attachments.
 */
export class ChannelSockets {
  readonly #context: DurableObjectState;
  readonly #byRoom = new Map<string, Set<WebSocket>>();
  /** Messages sent to a socket and not yet acknowledged as received. */
  readonly #unread = new Map<WebSocket, { sent: number; received: number }>();
  readonly #unreadMax: number;

  constructor(context: DurableObjectState, unreadMax: number) {
    this.#context = context;
    this.#unreadMax = unreadMax;
    for (const socket of context.getWebSockets()) {
      const attachment = attachmentOf(socket);
      if (attachment?.sessionId) this.add(attachment.roomId, socket);
    }
  }

  get all(): WebSocket[] {
    return this.#context.getWebSockets();
  }

  /** The sessions that have a socket. */
  get sessions(): Set<string> {
    const sessions = this.all.flatMap((socket) => attachmentOf(socket)?.sessionId ?? []);
    return new Set(sessions);
  }

  ofRoom(roomId: string): Iterable<WebSocket> {
    return this.#byRoom.get(roomId) ?? [];
  }

  add(roomId: string, socket: WebSocket): void {
    const sockets = this.#byRoom.get(roomId);
    if (sockets) sockets.add(socket);
    else this.#byRoom.set(roomId, new Set([socket]));
    this.#unread.set(socket, { sent: 0, received: 0 });
  }

  drop(roomId: string, socket: WebSocket): void {
    const sockets = this.#byRoom.get(roomId);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.#byRoom.delete(roomId);
    this.#unread.delete(socket);
  }

  /** Sends one message; a socket that no longer drains is dropped instead. */
  send(socket: WebSocket, message: ServerMessage): void {
    this.sendText(socket, JSON.stringify(message));
  }

  /** Sends the same message to everyone in a room. */
  broadcast(roomId: string, message: ServerMessage): void {
    const text = JSON.stringify(message);
    for (const socket of this.ofRoom(roomId)) this.sendText(socket, text);
  }

  sendText(socket: WebSocket, text: string): void {
    const count = this.#unread.get(socket);
    if (count) {
      count.sent += 1;
      if (count.sent - count.received > this.#unreadMax) {
        this.refuse(socket, "too-slow");
        return;
      }
    }
    trySend(socket, text);
  }

  /** A client told how many messages have reached it since its hello. */
  acknowledge(socket: WebSocket, received: number): void {
    const count = this.#unread.get(socket);
    if (!count) return;
    // After a hibernation the client has counted further than this memory.
    count.received = received;
    count.sent = Math.max(count.sent, received);
  }

  /** Sends a socket away for good, with the reason. */
  refuse(socket: WebSocket, code: RefusedCode): void {
    trySend(socket, JSON.stringify({ type: "refused", code } satisfies ServerMessage));
    socket.close(closeCodes.refused, code);
  }
}

function trySend(socket: WebSocket, text: string): void {
  try {
    socket.send(text);
  } catch {
    // It closed meanwhile; its closing is told separately.
  }
}

export function attach(socket: WebSocket, attachment: Attachment): void {
  socket.serializeAttachment(attachment);
}

export function attachmentOf(socket: WebSocket): Attachment | undefined {
  return socket.deserializeAttachment() as Attachment | undefined;
}

/** What is known of a socket that has not said who it is. */
export function stranger(
  roomId: string,
  from: Pick<Attachment, "address" | "foreignOrigin"> = {},
): Attachment {
  const openedAtMs = Date.now();
  return {
    roomId,
    openedAtMs,
    ...from,
    identity: "",
    roomAdmin: false,
    sentSeq: 0,
    sentOwnSeq: 0,
  };
}
