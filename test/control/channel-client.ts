import { onTestFinished } from "vitest";
import type { ServerMessage } from "#schema/channel.ts";
import type { OwnEvent, RoomEvent } from "#schema/events.ts";
import type { Control } from "#test/harness/control.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import type { Member } from "./api.ts";

type Numbered<Event> = { seq: number; event: Event };

/** A member's socket to the room, and all that came over it, in order. */
export class ChannelClient {
  readonly messages: ServerMessage[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly #socket: WebSocket;

  private constructor(url: URL, hello: unknown) {
    this.#socket = new WebSocket(url);
    this.#socket.addEventListener("open", () => {
      if (hello) this.#socket.send(JSON.stringify(hello));
    });
    this.#socket.addEventListener("message", ({ data }) => {
      this.messages.push(JSON.parse(String(data)));
    });
    this.#socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
    });
    onTestFinished(() => this.#socket.close());
  }

  /**
   * Opens a socket and says hello.
   * @param after the last event that was seen; default: what the entry included
   */
  static open(
    control: Control,
    member: Member,
    { after = member.entry.eventSeq, credential = member.key } = {},
  ): ChannelClient {
    const url = new URL(member.entry.channelPath, control.url);
    return new ChannelClient(url, { type: "hello", credential, afterSeq: after });
  }

  /** Opens a socket and says nothing. */
  static openSilent(control: Control, member: Member): ChannelClient {
    return new ChannelClient(new URL(member.entry.channelPath, control.url), undefined);
  }

  get events(): Numbered<RoomEvent>[] {
    return this.messages.filter((message) => message.type === "event");
  }

  get ownEvents(): Numbered<OwnEvent>[] {
    return this.messages.filter((message) => message.type === "own");
  }

  /** The last event that was seen. */
  get lastSeq(): number {
    return this.events.at(-1)?.seq ?? 0;
  }

  send(message: unknown): void {
    this.#socket.send(JSON.stringify(message));
  }

  close(): void {
    this.#socket.close();
  }

  async welcomed(): Promise<this> {
    const there = () => this.messages.some(({ type }) => type === "welcome");
    await waitFor(there, { what: "the channel's welcome" });
    return this;
  }

  /** Waits for a message of a type. */
  async message<Type extends ServerMessage["type"]>(
    type: Type,
  ): Promise<Extract<ServerMessage, { type: Type }>> {
    const found = () => this.messages.find((message) => message.type === type);
    const message = await waitFor(found, { what: `a message of type ${type}` });
    return message as Extract<ServerMessage, { type: Type }>;
  }

  /** Waits for so many events of a type. */
  async count(type: RoomEvent["type"], count: number): Promise<void> {
    const of = () => this.events.filter(({ event }) => event.type === type).length;
    const what = `${count} events ${type}`;
    await waitFor(() => of() >= count, { what });
  }

  /** Waits until the other side has begun to close. */
  async closing(): Promise<void> {
    const begun = () => this.#socket.readyState >= WebSocket.CLOSING;
    await waitFor(begun, { what: "the socket to begin to close" });
  }

  async ended(): Promise<{ code: number; reason: string }> {
    return waitFor(() => this.closed, { what: "the socket to close" });
  }
}
