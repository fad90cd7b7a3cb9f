import type { ClientMessage, ServerMessage } from "#schema/channel.ts";
import { Chat } from "./chat.ts";
import type { Link } from "./link.ts";
import { Moderation } from "./moderation.ts";

export interface TalkHost {
  /** The session's link, or undefined while the room is entered again. */
  link(): Link | undefined;
  chatChanged(): void;
  moderationChanged(): void;
}

/** Chat and moderation of a room, which go on when its session has to begin anew. */
export class Talk {
  readonly chat: Chat;
  readonly moderation: Moderation;
  #channelPath: string | undefined;

  constructor({ link, chatChanged, moderationChanged }: TalkHost) {
    const send = (message: ClientMessage) => link()?.send(message) ?? false;
    this.chat = new Chat({ send, changed: chatChanged });
    this.moderation = new Moderation({ send, changed: moderationChanged });
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
    if (message.type === "welcome") this.chat.resume();
    else this.chat.read(message);
  }
}
