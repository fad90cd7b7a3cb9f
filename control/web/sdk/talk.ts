import type { ClientMessage, ServerMessage } from "#schema/channel.ts";
import { Chat } from "./chat.ts";
import type { Link } from "./link.ts";
import { Moderation } from "./moderation.ts";
import type { RoomEvents } from "./types.ts";

export interface TalkHost {
  /** The session's link, or undefined while the room is entered again. */
  link(): Link | undefined;
  tell<Name extends "chat" | "moderated" | "speaker" | "quality">(
    name: Name,
    payload: RoomEvents[Name],
  ): void;
}

/** Chat, moderation and who speaks in a room: they outlast its sessions. */
export class Talk {
  readonly chat: Chat;
  readonly moderation: Moderation;
  readonly #host: TalkHost;
  #channelPath: string | undefined;
  /** The broadcast whose microphone is the loudest at present. */
  speaking: string | undefined;

  constructor(host: TalkHost) {
    this.#host = host;
    const send = (message: ClientMessage) => host.link()?.send(message) ?? false;
    this.chat = new Chat({ send, changed: () => host.tell("chat", this.chat.messages) });
    this.moderation = new Moderation({
      send,
      changed: () => host.tell("moderated", undefined),
    });
  }

  /** The room was entered, and has its channel there. */
  entered(channelPath: string): void {
    // A room of another tier may have another channel, whose chat counts anew.
    if (this.#channelPath && this.#channelPath !== channelPath) this.chat.restart();
    this.#channelPath = channelPath;
  }

  /** Takes in what the channel brings. */
  read(message: ServerMessage): void {
    this.moderation.read(message);
    if (message.type === "speaker.active") {
      this.speaking = message.broadcastId;
      this.#host.tell("speaker", { broadcastId: message.broadcastId });
    } else if (message.type === "view.quality") this.#host.tell("quality", message);
    else if (message.type === "welcome") this.chat.resume();
    else this.chat.read(message);
  }
}
