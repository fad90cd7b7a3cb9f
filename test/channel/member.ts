import type { Entry } from "#schema/api/rooms.ts";
import type { ClientMessage, ServerMessage } from "#schema/channel.ts";
import type { Control } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";

type Of<Type extends ServerMessage["type"]> = Extract<ServerMessage, { type: Type }>;

/** Someone in a room with a socket on its channel, and all that arrived on it. */
export class Member {
  readonly entry: Entry;
  readonly #control: Control;
  #path: string;
  #socket: WebSocket | undefined;
  messages: ServerMessage[] = [];
  closed: { code: number; reason: string } | undefined;

  constructor(control: Control, entry: Entry) {
    this.#control = control;
    this.entry = entry;
    this.#path = entry.channelPath;
  }

  get sessionId(): string {
    return this.entry.session.id;
  }

  /** Opens a socket and says hello; the last one, if open, stays open. */
  async open(
    hello: Partial<Extract<ClientMessage, { type: "hello" }>> = {},
  ): Promise<void> {
    const url = new URL(this.#path, this.#control.url);
    url.protocol = "ws:";
    this.closed = undefined;
    this.messages = [];
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (this.#socket !== socket || data === "pong") return;
      this.messages.push(JSON.parse(data));
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (this.#socket === socket) this.closed = { code, reason };
    });
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", reject, { once: true });
    });
    this.send({
      type: "hello",
      credential: this.entry.credential,
      afterSeq: this.entry.eventSeq,
      ...hello,
    });
  }

  /** Opens a socket and waits for the channel's welcome. */
  async join(hello?: Parameters<Member["open"]>[0]): Promise<Of<"welcome">> {
    await this.open(hello);
    return this.next("welcome");
  }

  send(message: ClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  say(text: string, clientId: string = crypto.randomUUID()): void {
    this.send({ type: "chat.send", clientId, text });
  }

  /** Tells the channel that this machine is there. */
  ping(): void {
    // On one that is still being opened it would be an error.
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send("ping");
  }

  /** The room's channel has another address from now on. */
  moveTo(channelPath: string): void {
    this.#path = channelPath;
  }

  /** Closes the socket without leaving the session. */
  drop(): void {
    this.#socket?.close();
  }

  all<Type extends ServerMessage["type"]>(type: Type): Of<Type>[] {
    return this.messages.filter((message): message is Of<Type> => message.type === type);
  }

  /** Waits for the first message of a type that fits. */
  next<Type extends ServerMessage["type"]>(
    type: Type,
    fits: (message: Of<Type>) => boolean = () => true,
  ): Promise<Of<Type>> {
    const find = () => this.all(type).find(fits);
    return waitFor(find, {
      what: `a ${type} for ${this.entry.session.identity}`,
      timeoutMs: 20_000,
    }) as Promise<Of<Type>>;
  }

  /** The chat texts that arrived, in the order of arrival. */
  get heard(): string[] {
    return this.all("chat").flatMap(({ messages }) => messages.map(({ text }) => text));
  }
}

/** Opens a room with the API key. */
export async function openRoom(control: Control, tier: number): Promise<string> {
  const { body } = await control.call("POST", "/v1/rooms", {
    key: control.keys.api,
    body: { tier },
  });
  return body.id;
}

/** Mints a token for a room; a moderator's with `roomAdmin`. */
export async function mint(
  control: Control,
  roomId: string,
  identity: string,
  roomAdmin = false,
): Promise<string> {
  const { body } = await control.call("POST", `/v1/rooms/${roomId}/tokens`, {
    key: control.keys.api,
    body: { identity, roomAdmin },
  });
  return body.token;
}

/** Enters a room; the socket is still to be opened. */
export async function enter(
  control: Control,
  roomId: string,
  identity: string,
  roomAdmin = false,
): Promise<Member> {
  const key = await mint(control, roomId, identity, roomAdmin);
  const path = `/v1/rooms/${roomId}/sessions`;
  const { status, body } = await control.call("POST", path, { key, body: {} });
  if (status !== 201)
    throw new Error(`${identity} may not enter: ${JSON.stringify(body)}`);
  return new Member(control, body);
}

/** Enters a room and joins its channel. */
export async function arrive(
  control: Control,
  roomId: string,
  identity: string,
  roomAdmin = false,
): Promise<Member> {
  const member = await enter(control, roomId, identity, roomAdmin);
  await member.join();
  return member;
}
