import { DurableObject } from "cloudflare:workers";
import { clientMessage, type ServerMessage } from "#schema/channel.ts";
import { zoneOf } from "#schema/ids.ts";
import { verifySession } from "../auth/tokens.ts";
import type { NumberedEvent } from "../broker/draft.ts";
import { configOf, type Env } from "../env.ts";
import { brokerOf } from "./names.ts";

/** A socket that has not said who it is after this is closed. */
const helloMs = 5000;

/** What is known of a socket; it survives the object's hibernation. */
interface Attachment {
  roomId: string;
  /** Set once the socket has authenticated. */
  sessionId?: string;
  /** The last event that was sent to it. */
  sentSeq: number;
}

/**
 * One per room (free rooms share some): the room talks. It hands the room's
 * numbered events to the sockets of its sessions, and tells the broker who is
 * there.
 */
export class RoomChannel extends DurableObject<Env> {
  /** Sockets that are being told what they missed; new events wait for that. */
  readonly #catchingUp = new Set<WebSocket>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /** Takes a WebSocket for the room named by the `room` parameter. */
  override async fetch(request: Request): Promise<Response> {
    const roomId = new URL(request.url).searchParams.get("room") ?? "";
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [roomId]);
    attach(server, { roomId, sentSeq: 0 });
    setTimeout(() => {
      if (!attachmentOf(server)?.sessionId) server.close(4401, "no hello");
    }, helloMs);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Events of a commit, pushed by the broker. */
  async deliver(roomId: string, events: NumberedEvent[]): Promise<void> {
    for (const socket of this.ctx.getWebSockets(roomId)) {
      const attachment = attachmentOf(socket);
      if (!attachment?.sessionId || this.#catchingUp.has(socket)) continue;
      const first = events.find(({ seq }) => seq > attachment.sentSeq);
      if (!first) continue;
      if (first.seq > attachment.sentSeq + 1) this.ctx.waitUntil(this.#catchUp(socket));
      else sendEvents(socket, attachment, events);
    }
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer) {
    const attachment = attachmentOf(socket);
    if (!attachment) return;
    const message = typeof data === "string" ? parse(data) : undefined;
    if (!message) return socket.close(4400, "not a message of this channel");
    try {
      const config = configOf(this.env);
      const principal = await verifySession(config, message.credential);
      if (principal.roomId !== attachment.roomId)
        return refuse(socket, "unauthenticated");
      const { sessionId, roomId } = principal;
      const broker = brokerOf(this.env, zoneOf(roomId) ?? config.zone);
      const answer = await broker.ask("attachSession", { roomId, sessionId });
      if (!answer.ok) return refuse(socket, "room-closed");
      this.#supersede(socket, roomId, sessionId);
      const sentSeq = Math.min(message.afterSeq, answer.value.eventSeq);
      attach(socket, { roomId, sessionId, sentSeq });
      send(socket, { type: "welcome", seq: answer.value.eventSeq });
      await this.#catchUp(socket);
    } catch {
      refuse(socket, "unauthenticated");
    }
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    await this.#gone(socket);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.#gone(socket);
  }

  /** Sends what a socket missed, from the database, until nothing is missing. */
  async #catchUp(socket: WebSocket): Promise<void> {
    const attachment = attachmentOf(socket);
    if (!attachment || this.#catchingUp.has(socket)) return;
    this.#catchingUp.add(socket);
    try {
      const { zone } = configOf(this.env);
      const broker = brokerOf(this.env, zoneOf(attachment.roomId) ?? zone);
      for (;;) {
        const events = await broker.eventsAfter(attachment.roomId, attachment.sentSeq);
        if (events.length === 0) break;
        sendEvents(socket, attachment, events);
      }
    } finally {
      this.#catchingUp.delete(socket);
    }
  }

  /** A session has one socket: the newest. */
  #supersede(newest: WebSocket, roomId: string, sessionId: string): void {
    for (const socket of this.ctx.getWebSockets(roomId)) {
      if (socket === newest || attachmentOf(socket)?.sessionId !== sessionId) continue;
      attach(socket, { roomId, sentSeq: 0 });
      refuse(socket, "superseded");
    }
  }

  async #gone(socket: WebSocket): Promise<void> {
    const { roomId, sessionId } = attachmentOf(socket) ?? {};
    if (!roomId || !sessionId) return;
    attach(socket, { roomId, sentSeq: 0 });
    const broker = brokerOf(this.env, zoneOf(roomId) ?? configOf(this.env).zone);
    await broker.ask("detachSession", { roomId, sessionId });
  }
}

function sendEvents(
  socket: WebSocket,
  attachment: Attachment,
  events: NumberedEvent[],
): void {
  let ended = false;
  for (const { seq, event } of events) {
    if (seq <= attachment.sentSeq) continue;
    attachment.sentSeq = seq;
    const forOne = event.type === "view.lost" ? event.sessionId : undefined;
    if (forOne !== undefined && forOne !== attachment.sessionId) continue;
    send(socket, { type: "event", seq, event });
    ended ||= event.type === "room.closed";
    ended ||= event.type === "session.left" && event.sessionId === attachment.sessionId;
  }
  attach(socket, attachment);
  if (!ended) return;
  // The session is over in the ledger: there is nothing to detach.
  attach(socket, { roomId: attachment.roomId, sentSeq: 0 });
  socket.close(4410, "the session has ended");
}

function refuse(
  socket: WebSocket,
  code: "unauthenticated" | "room-closed" | "superseded",
) {
  send(socket, { type: "refused", code });
  socket.close(4403, code);
}

function send(socket: WebSocket, message: ServerMessage): void {
  try {
    socket.send(JSON.stringify(message));
  } catch {
    // It closed meanwhile; its closing is told separately.
  }
}

function parse(text: string) {
  try {
    return clientMessage.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function attach(socket: WebSocket, attachment: Attachment): void {
  socket.serializeAttachment(attachment);
}

function attachmentOf(socket: WebSocket): Attachment | undefined {
  return socket.deserializeAttachment() as Attachment | undefined;
}
