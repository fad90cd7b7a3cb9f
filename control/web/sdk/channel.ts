import ReconnectingWebSocket from "partysocket/ws";
import type { ClientMessage, RoomEvent, ServerMessage } from "#schema/channel.ts";

const pingEveryMs = 10_000;
const silentForMs = 25_000;

export interface ChannelHandlers {
  event(event: RoomEvent): void;
  /** True after each welcome, false when the socket is lost. */
  online(online: boolean): void;
  /** The server sent the client away: the channel waits for `reconnect`. */
  refused(code: "unauthenticated" | "room-closed" | "superseded"): void;
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
      maxReconnectionDelay: 8000,
      reconnectionDelayGrowFactor: 1.6,
      connectionTimeout: 6000,
      maxEnqueuedMessages: 0,
    });
    this.#socket.addEventListener("open", () => this.#hello());
    this.#socket.addEventListener("message", (message) => this.#read(message.data));
    this.#socket.addEventListener("close", () => {
      if (!this.#closed) this.#handlers.online(false);
    });
    this.#pings = setInterval(() => this.#ping(), pingEveryMs);
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
    };
    this.#socket.send(JSON.stringify(hello));
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
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === "welcome") {
      this.#handlers.online(true);
    } else if (message.type === "event") {
      if (message.seq <= this.#seq) return;
      this.#seq = message.seq;
      this.#handlers.event(message.event);
    } else if (message.type === "refused") {
      // Not tried again by itself: the same hello would be refused again.
      this.#socket.close();
      this.#handlers.online(false);
      this.#handlers.refused(message.code);
    }
  }
}
