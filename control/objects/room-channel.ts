import { DurableObject } from "cloudflare:workers";
import { zoneOf } from "#schema/ids.ts";
import { foreignOriginOf } from "../auth/origins.ts";
import type { RoomNews } from "../broker/telling.ts";
import { configOf, type Env } from "../env.ts";
import { voidTokens } from "../services/revocations.ts";
import { wakeAt } from "./alarm.ts";
import {
  type Attachment,
  attach,
  attachmentOf,
  ChannelSockets,
  closeCodes,
  type RefusedCode,
  stranger,
} from "./channel-sockets.ts";
import { ChatDesk } from "./chat-desk.ts";
import { ChatLog } from "./chat-log.ts";
import { type ReadMessage, readMessage, whoSaysHello } from "./client-messages.ts";
import { Departures, tellAgainMs } from "./departures.ts";
import { type LiveSignal, LiveSignals } from "./live-signals.ts";
import { brokerOf } from "./names.ts";
import { NewsDesk } from "./news-desk.ts";
import { renewCredential } from "./renewal.ts";
import { Strangers } from "./strangers.ts";

/**
 * One per room (free rooms share some): the room talks. It hands the room's and
 * the sessions' numbered events to their sockets, carries the chat, and tells
 * the broker who is there.
 */
export class RoomChannel extends DurableObject<Env> {
  readonly #sockets: ChannelSockets;
  readonly #strangers: Strangers;
  readonly #news: NewsDesk;
  readonly #chat: ChatDesk;
  readonly #log: ChatLog;
  readonly #live: LiveSignals;
  readonly #departures: Departures;
  /** Why sessions that end now were sent away. */
  readonly #sentAway = new Map<string, RefusedCode>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { chat } = configOf(env).settings;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.#sockets = new ChannelSockets(ctx, chat.unreadMax);
    this.#strangers = new Strangers(this.#sockets.all, chat.strangersPerAddress);
    this.#live = new LiveSignals(this.#sockets);
    this.#log = new ChatLog(ctx.storage.sql, chat.historyMax);
    this.#departures = new Departures(ctx.storage, (roomId) => this.#broker(roomId));
    this.#news = new NewsDesk({
      sockets: this.#sockets,
      broker: (roomId) => this.#broker(roomId),
      catchUpMax: chat.catchUpMax,
      onEnded: (socket) => this.#end(socket),
      later: (work) => ctx.waitUntil(work),
    });
    this.#chat = new ChatDesk({
      sockets: this.#sockets,
      log: this.#log,
      settings: chat,
      broker: (roomId) => this.#broker(roomId),
      revoke: (roomId, identity) => voidTokens(env, roomId, identity),
      sendAway: (sessionId, code) => this.#sentAway.set(sessionId, code),
    });
  }

  /** Takes a WebSocket for the room named by the `room` parameter. */
  override async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const roomId = searchParams.get("room") ?? "";
    const address = searchParams.get("address") ?? "";
    if (!this.#strangers.hasRoom(address)) return new Response(null, { status: 429 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [roomId]);
    const foreignOrigin = foreignOriginOf(configOf(this.env), request);
    attach(server, stranger(roomId, { address, foreignOrigin }));
    this.#strangers.add(server, address);
    // An alarm, as a timer does not run while nothing else goes on here.
    await wakeAt(this.ctx.storage, Date.now() + configOf(this.env).settings.chat.helloMs);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** What a commit has to tell a room's sessions, pushed by the broker. */
  async deliver(roomId: string, news: RoomNews): Promise<void> {
    this.#news.deliver(roomId, news);
    if (news.events.some(({ event }) => event.type === "room.closed")) {
      this.#log.forget(roomId);
      this.#live.forget(roomId);
    }
  }

  /** Passes on what is told and not kept. */
  async tell(signal: LiveSignal): Promise<void> {
    this.#live.tell(signal);
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer) {
    const attachment = attachmentOf(socket);
    if (!attachment) return;
    const message = readMessage(data);
    if (!message)
      return socket.close(closeCodes.malformed, "not a message of this channel");
    if (message.type === "hello") return this.#hello(socket, attachment, message);
    if (!attachment.sessionId) return this.#sockets.refuse(socket, "unauthenticated");
    if (message.type === "ack")
      return this.#sockets.acknowledge(socket, message.received);
    if (message.type === "renew") {
      return renewCredential(configOf(this.env), this.#sockets, socket);
    }
    await this.#chat.take(
      socket,
      { ...attachment, sessionId: attachment.sessionId },
      message,
    );
  }

  override async webSocketClose(socket: WebSocket): Promise<void> {
    // The client's closing ends only with an answer to it.
    socket.close(1000);
    await this.#gone(socket);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.#gone(socket);
  }

  /** Looks for sockets that never said hello, or vanished without closing. */
  override async alarm(): Promise<void> {
    const { silentMs, presenceEveryMs, helloMs } = configOf(this.env).settings.chat;
    let nextMs = Date.now() + presenceEveryMs;
    for (const socket of this.#sockets.all) {
      const { openedAtMs = 0, sessionId } = attachmentOf(socket) ?? {};
      const helloDueMs = openedAtMs + helloMs;
      if (!sessionId && Date.now() < helloDueMs) {
        nextMs = Math.min(nextMs, helloDueMs);
        continue;
      }
      const pinged = this.ctx.getWebSocketAutoResponseTimestamp(socket);
      const heardAtMs = Math.max(openedAtMs, pinged?.getTime() ?? 0);
      if (sessionId && Date.now() - heardAtMs < silentMs) continue;
      if (sessionId) await this.#gone(socket);
      this.#strangers.drop(socket);
      socket.close(closeCodes.noHello, sessionId ? "no ping" : "no hello");
    }
    const againMs = await this.#departures.tellFormer(this.#sockets.sessions, silentMs);
    if (againMs !== undefined) await wakeAt(this.ctx.storage, againMs);
    if (await this.#departures.tellAgain())
      await wakeAt(this.ctx.storage, Date.now() + tellAgainMs);
    if (this.#sockets.all.length > 0) await wakeAt(this.ctx.storage, nextMs);
  }

  async #hello(
    socket: WebSocket,
    attachment: Attachment,
    hello: Extract<ReadMessage, { type: "hello" }>,
  ): Promise<void> {
    const { roomId, openedAtMs } = attachment;
    const principal = await whoSaysHello(
      configOf(this.env),
      attachment,
      hello.credential,
    );
    if (!principal) return this.#sockets.refuse(socket, "unauthenticated");
    const { sessionId } = principal;
    const answer = await this.#broker(roomId).ask("attachSession", { roomId, sessionId });
    if (!answer.ok) {
      const ended = answer.refusal.refusal === "not-found";
      // A database that is down is no reason to send anyone away for good.
      if (!ended) return socket.close(1013, "try again later");
      return this.#sockets.refuse(socket, "room-closed");
    }
    const { eventSeq, ownSeq, roomAdmin, identity } = answer.value;
    this.#strangers.drop(socket);
    await this.#departures.arrived(roomId, sessionId);
    this.#supersede(socket, roomId, sessionId);
    const sentSeq = Math.min(hello.afterSeq, eventSeq);
    const sentOwnSeq = Math.min(hello.afterOwnSeq, ownSeq);
    attach(socket, {
      roomId,
      openedAtMs,
      sessionId,
      identity,
      roomAdmin,
      holder: {
        keyId: principal.keyId,
        grants: principal.grants,
        origin: principal.origin,
      },
      sentSeq,
      sentOwnSeq,
    });
    this.#sockets.add(roomId, socket);
    const muted = this.#log.mutedIn(roomId);
    this.#sockets.send(socket, { type: "welcome", seq: eventSeq, roomAdmin, muted });
    this.#chat.greet(socket, roomId, hello.afterChatSeq);
    this.#live.greet(socket, roomId, sessionId);
    await this.#news.catchUp(socket);
  }

  /** A session has one socket: the newest. */
  #supersede(newest: WebSocket, roomId: string, sessionId: string): void {
    for (const socket of [...this.#sockets.ofRoom(roomId)]) {
      if (socket === newest || attachmentOf(socket)?.sessionId !== sessionId) continue;
      this.#forget(socket);
      this.#sockets.refuse(socket, "superseded");
    }
  }

  /** The session is over in the ledger: there is nothing to detach. */
  #end(socket: WebSocket): void {
    const { roomId = "", sessionId = "" } = attachmentOf(socket) ?? {};
    this.#live.forget(roomId, sessionId);
    this.ctx.waitUntil(this.#departures.forget(sessionId));
    const code = this.#sentAway.get(sessionId);
    this.#sentAway.delete(sessionId);
    this.#forget(socket);
    if (code) this.#sockets.refuse(socket, code);
    else socket.close(closeCodes.ended, "the session has ended");
  }

  #forget(socket: WebSocket): void {
    const roomId = attachmentOf(socket)?.roomId ?? "";
    attach(socket, stranger(roomId));
    this.#sockets.drop(roomId, socket);
  }

  async #gone(socket: WebSocket): Promise<void> {
    this.#strangers.drop(socket);
    const { roomId, sessionId } = attachmentOf(socket) ?? {};
    if (!roomId || !sessionId) return;
    this.#forget(socket);
    this.#chat.forget(sessionId);
    if (!(await this.#departures.tell(roomId, sessionId))) {
      await wakeAt(this.ctx.storage, Date.now() + tellAgainMs);
    }
  }

  #broker(roomId: string) {
    return brokerOf(this.env, zoneOf(roomId) ?? "");
  }
}
