import type { ClientMessage, ServerMessage } from "#schema/channel.ts";
import { asWeirError, WeirError } from "./errors.ts";

export type ModerationAction = Extract<ClientMessage, { type: "moderate" }>["action"];

export interface ModerationHost {
  /** @returns false where the channel is down */
  send(message: ClientMessage): boolean;
  changed(): void;
}

const answerWithinMs = 10_000;

/** What moderators do in a room, and whom it has hit. */
export class Moderation {
  /** Identities whose chat messages are refused. */
  readonly muted = new Set<string>();
  /** Identities that were banned while this page was there to hear of it. */
  readonly banned = new Set<string>();
  readonly #host: ModerationHost;
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();
  #allowed = false;

  constructor(host: ModerationHost) {
    this.#host = host;
  }

  /** Whether this session may moderate. */
  get allowed(): boolean {
    return this.#allowed;
  }

  /**
   * Mutes, unmutes, kicks, bans an identity, or lets it in again. A kicked one
   * may come back, a banned one may not.
   * @throws WeirError `forbidden` with the reason, `network` without an answer
   */
  moderate(action: ModerationAction, identity: string): Promise<void> {
    return this.#ask(`${action} ${identity}`, { type: "moderate", action, identity });
  }

  /**
   * Takes a chat message back: one's own, or anyone's for a moderator.
   * @throws WeirError `forbidden`, `network` without an answer
   */
  deleteMessage(seq: number): Promise<void> {
    return this.#ask(`delete ${seq}`, { type: "chat.delete", seq });
  }

  /** @internal Takes in what the channel brings. */
  read(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#allowed = message.roomAdmin;
        this.muted.clear();
        for (const identity of message.muted) this.muted.add(identity);
        this.#host.changed();
        return;
      case "moderated": {
        const { action, identity } = message;
        if (action === "mute") this.muted.add(identity);
        if (action === "unmute") this.muted.delete(identity);
        if (action === "ban") this.banned.add(identity);
        if (action === "unban") this.banned.delete(identity);
        this.#waiting.get(`${action} ${identity}`)?.resolve();
        this.#host.changed();
        return;
      }
      case "chat.deleted":
        this.#waiting.get(`delete ${message.seq}`)?.resolve();
        return;
      case "moderation.refused": {
        // A refusal does not say of what: it is the oldest that waits.
        const [oldest] = this.#waiting.values();
        oldest?.reject(new WeirError("forbidden", message.reason));
      }
    }
  }

  async #ask(key: string, message: ClientMessage): Promise<void> {
    const waiting = this.#waiting.get(key) ?? Promise.withResolvers<void>();
    this.#waiting.set(key, waiting);
    const late = setTimeout(() => {
      waiting.reject(new WeirError("network", "The channel does not answer."));
    }, answerWithinMs);
    try {
      if (!this.#host.send(message)) {
        throw new WeirError("network", "The channel is not connected.");
      }
      await waiting.promise;
    } catch (error) {
      throw asWeirError(error);
    } finally {
      clearTimeout(late);
      if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
    }
  }
}
