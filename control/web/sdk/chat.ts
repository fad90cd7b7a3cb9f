import type { ChatMessage, ServerMessage } from "#schema/channel.ts";
import { WeirError } from "./errors.ts";

type Receipt = { seq: number; atMs: number };
type Outgoing = { type: "chat.send"; clientId: string; text: string };

export interface ChatHost {
  /** @returns false where the channel is down */
  send(message: Outgoing): boolean;
  changed(): void;
}

const answerWithinMs = 10_000;

/** The room's chat: what was said, in order, and what one says. */
export class Chat {
  readonly #host: ChatHost;
  readonly #messages = new Map<number, ChatMessage>();
  readonly #waiting = new Map<string, PromiseWithResolvers<Receipt>>();
  #lastSeq = 0;

  constructor(host: ChatHost) {
    this.#host = host;
  }

  /** The last message known, by its number. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** What was said, oldest first. */
  get messages(): ChatMessage[] {
    return [...this.#messages.values()].sort((a, b) => a.seq - b.seq);
  }

  /**
   * Says something.
   * @returns the message's number and time, once the server has it
   * @throws WeirError `network` where the channel is down or does not answer,
   *   `rate-limited` with a delay, `forbidden` where one is muted,
   *   `validation-failed` where the text is empty or too long
   */
  async say(text: string): Promise<Receipt> {
    const clientId = crypto.randomUUID();
    const waiting = Promise.withResolvers<Receipt>();
    this.#waiting.set(clientId, waiting);
    const late = setTimeout(() => {
      waiting.reject(new WeirError("network", "The chat does not answer."));
    }, answerWithinMs);
    try {
      if (!this.#host.send({ type: "chat.send", clientId, text })) {
        throw new WeirError("network", "The chat is not connected.");
      }
      return await waiting.promise;
    } finally {
      clearTimeout(late);
      this.#waiting.delete(clientId);
    }
  }

  /** @internal Takes in what the channel brings. */
  read(message: ServerMessage): void {
    if (message.type === "chat") {
      for (const said of message.messages) {
        this.#messages.set(said.seq, said);
        this.#lastSeq = Math.max(this.#lastSeq, said.seq);
      }
      this.#host.changed();
    } else if (message.type === "chat.deleted") {
      this.#messages.delete(message.seq);
      this.#host.changed();
    } else if (message.type === "chat.receipt") {
      const { seq, atMs } = message;
      this.#waiting.get(message.clientId)?.resolve({ seq, atMs });
    } else if (message.type === "chat.refused") {
      const { code, retryAfterMs } = message;
      const [problem, sentence] = refusals[code];
      const error = new WeirError(problem, sentence, { retryAfterMs });
      this.#waiting.get(message.clientId)?.reject(error);
    }
  }
}

const refusals = {
  "slow-down": ["rate-limited", "You write faster than the room allows."],
  muted: ["forbidden", "You are muted in this room."],
  "too-long": ["validation-failed", "The message is too long."],
  empty: ["validation-failed", "The message is empty."],
} as const;
