import ReconnectingWebSocket from "partysocket/ws";
import type { ClientMessage, RoomStateWire, ServerMessage } from "#schema/channel.ts";
import type { OwnEvent, RoomEvent } from "#schema/events.ts";

const pingEveryMs = 10_000;
const silentForMs = 25_000;
// The server drops a socket that it believes far behind: told often enough.
const messagesPerAck = 32;

export type RefusedCode = Extract<ServerMessage, { type: "refused" }>["code"];

export interface ChannelHandlers {
  event(event: RoomEvent | OwnEvent): void;
  /** The room as it is, after too much was missed to be told one by one. */
  resync(state: RoomStateWire): void;
  /** The welcome, chat and moderation. */
  message(message: ServerMessage): void;
  /** The last chat message known. */
  chatSeq(): number;
  /** True after each welcome, false when the socket is lost. */
  online(online: boolean): void;
  /** The server sent the client away: the channel waits for `reconnect`. */
  refused(code: RefusedCode): void;
}

/**
 * A session's WebSocket. It reconnects by itself and asks for the events that
 * came after the last one it saw, so no event is missed or applied twice.
 */
export class Channel {
  readonly #socket: ReconnectingWebSocket;
  readonly #handlers: ChannelHandlers;
  readonly #credential: () => string;
  readonly #pings: ReturnType<typeof setInterval>;
  #seq: number;
  #ownSeq = 0;
  #received = 0;
  /** The server knows who this is: it takes nothing but a hello before that. */
  #welcomed = false;
  #heardAtMs = performance.now();
  #closed = false;

  /**
   * @param url the channel's address (http or https is turned into ws or wss)
   * @param afterSeq the last event that the room's entry included
   * @param credential gives the credential that is good at present
   */
  constructor(
    url: URL,
    afterSeq: number,
    credential: () => string,
    handlers: ChannelHandlers,
  ) {
    this.#seq = afterSeq;
    this.#credential = credential;
    this.#handlers = handlers;
    const address = new URL(url);
    address.protocol = url.protocol === "http:" ? "ws:" : "wss:";
    this.#socket = new ReconnectingWebSocket(address.href, [], {
      // The first delay differs by client: a restarted server is not run over.
      minReconnectionDelay: 300 + Math.random() * 700,
      // Well below the time that a session without a socket is kept for.
      maxReconnectionDelay: 5000,
      reconnectionDelayGrowFactor: 1.6,
      connectionTimeout: 6000,
      maxEnqueuedMessages: 0,
    });
    this.#socket.addEventListener("open", () => {
      this.#received = 0;
      this.#welcomed = false;
      this.#hello();
    });
    this.#socket.addEventListener("message", (message) => this.#read(message.data));
    this.#socket.addEventListener("close", () => {
      this.#welcomed = false;
      if (!this.#closed) this.#handlers.online(false);
    });
    this.#pings = setInterval(() => this.#ping(), pingEveryMs);
  }

  /** Sends a message. @returns false where the channel is down */
  send(message: ClientMessage): boolean {
    return this.#welcomed && this.#sendNow(message);
  }

  /** Says hello again; a channel that is not open does so when it opens. */
  greet(): void {
    if (this.#socket.readyState === ReconnectingWebSocket.OPEN) this.#hello();
  }

  /** Opens the channel anew, after the server had sent the client away. */
  reconnect(): void {
    if (!this.#closed) this.#socket.reconnect();
  }

  /** Closes the channel for good. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#pings);
    this.#socket.close();
  }

  #hello(): void {
    this.#heardAtMs = performance.now();
    const hello: ClientMessage = {
      type: "hello",
      credential: this.#credential(),
      afterSeq: this.#seq,
      afterOwnSeq: this.#ownSeq,
      afterChatSeq: this.#handlers.chatSeq(),
    };
    this.#sendNow(hello);
  }

  #sendNow(message: ClientMessage): boolean {
    if (this.#socket.readyState !== ReconnectingWebSocket.OPEN) return false;
    return this.#socket.send(JSON.stringify(message));
  }

  #ping(): void {
    if (this.#socket.readyState !== ReconnectingWebSocket.OPEN) return;
    // A socket may look open long after its network has gone.
    if (performance.now() - this.#heardAtMs > silentForMs) this.#socket.reconnect();
    else this.#socket.send("ping");
  }

  #read(data: unknown): void {
    this.#heardAtMs = performance.now();
    if (this.#closed || typeof data !== "string" || data === "pong") return;
    this.#received += 1;
    if (this.#received % messagesPerAck === 0) {
      this.send({ type: "ack", received: this.#received });
    }
    this.#take(JSON.parse(data) as ServerMessage);
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#welcomed = true;
        this.#handlers.message(message);
        this.#handlers.online(true);
        return;
      case "event":
        if (message.seq <= this.#seq) return;
        this.#seq = message.seq;
        this.#handlers.event(message.event);
        return;
      case "own":
        if (message.seq <= this.#ownSeq) return;
        this.#ownSeq = message.seq;
        this.#handlers.event(message.event);
        return;
      case "resync":
        this.#seq = message.state.seq;
        this.#ownSeq = message.state.ownSeq;
        this.#handlers.resync(message.state);
        return;
      case "refused":
        // Not tried again by itself: the same hello would be refused again.
        this.#socket.close();
        this.#handlers.online(false);
        this.#handlers.refused(message.code);
        return;
      default:
        this.#handlers.message(message);
    }
  }
}
