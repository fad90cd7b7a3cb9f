import type {
  ChatMessage,
  ClientMessage,
  chatTextMax,
  ServerMessage,
} from "#schema/channel.ts";
import { WeirError } from "./errors.ts";

/** The longest message in characters; its type keeps it equal to the server's. */
export const textMax: typeof chatTextMax = 2000;

/** Something one said that is not in the room's chat yet. */
export interface Outgoing {
  readonly clientId: string;
  readonly text: string;
  /** Milliseconds since 1970, by this device's clock. */
  readonly saidAtMs: number;
  readonly state: "sending" | "refused";
  /** Why it was not taken, where it was refused. */
  readonly error: WeirError | undefined;
}

export interface ChatHost {
  /** @returns false where the channel is down */
  send(message: ClientMessage): boolean;
  changed(): void;
}

/**
 * The room's chat: what was said, in order, and what one says. It outlives the
 * channel: what was not answered when the channel went down is sent again under
 * the same id, so it is said once.
 */
export class Chat {
  readonly #host: ChatHost;
  readonly #messages = new Map<number, ChatMessage>();
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();
  #sorted: ChatMessage[] = [];
  #lastSeq = 0;

  constructor(host: ChatHost) {
    this.#host = host;
  }

  /** The last message known, by its number. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** What was said, oldest first. */
  get messages(): readonly ChatMessage[] {
    return this.#sorted;
  }

  /** What one said and the server has not taken yet, oldest first. */
  get outgoing(): Outgoing[] {
    return [...this.#outgoing.values()];
  }

  /**
   * Says something; while the channel is down it waits in `outgoing`.
   * @returns once the server has taken it
   * @throws WeirError `rate-limited` with a delay, `forbidden` where one is muted,
   *   `validation-failed` where the text is empty or longer than `textMax`,
   *   `left` where the room was left before; refused messages stay in `outgoing`
   */
  async say(text: string): Promise<void> {
    const trimmed = text.trim();
    if (trimmed === "") throw refusal("empty");
    if (trimmed.length > textMax) throw refusal("too-long");
    const clientId = crypto.randomUUID();
    const saidAtMs = Date.now();
    return this.#post({
      clientId,
      text: trimmed,
      saidAtMs,
      state: "sending",
      error: undefined,
    });
  }

  /** Sends a refused message again. @throws WeirError as `say` does */
  async retry(clientId: string): Promise<void> {
    const refused = this.#outgoing.get(clientId);
    if (refused?.state !== "refused") return;
    await this.#post({ ...refused, state: "sending", error: undefined });
  }

  /** Takes a refused message away. */
  discard(clientId: string): void {
    if (this.#outgoing.get(clientId)?.state !== "refused") return;
    this.#outgoing.delete(clientId);
    this.#host.changed();
  }

  /** @internal The channel is up: what has no answer yet is sent again. */
  resume(): void {
    for (const { clientId, text, state } of this.#outgoing.values()) {
      if (state === "sending") this.#host.send({ type: "chat.send", clientId, text });
    }
  }

  /** @internal The room goes on with another chat, which counts anew. */
  restart(): void {
    this.#messages.clear();
    this.#lastSeq = 0;
    this.#changed();
  }

  /** @internal The room was left: nothing is sent any more. */
  close(): void {
    for (const waiting of this.#waiting.values()) {
      waiting.reject(new WeirError("left", "The room was left."));
    }
    this.#waiting.clear();
  }

  /** @internal Takes in what the channel brings. */
  read(message: ServerMessage): void {
    switch (message.type) {
      case "chat":
        for (const said of message.messages) {
          this.#messages.set(said.seq, said);
          this.#lastSeq = Math.max(this.#lastSeq, said.seq);
        }
        this.#changed();
        return;
      case "chat.deleted":
        if (this.#messages.delete(message.seq)) this.#changed();
        return;
      case "chat.receipt":
        this.#outgoing.delete(message.clientId);
        this.#settled(message.clientId)?.resolve();
        this.#host.changed();
        return;
      case "chat.refused":
        this.#refused(message);
    }
  }

  #post(message: Outgoing): Promise<void> {
    const { clientId, text } = message;
    const waiting = Promise.withResolvers<void>();
    this.#waiting.set(clientId, waiting);
    // Sent again, it is the newest of those that wait.
    this.#outgoing.delete(clientId);
    this.#outgoing.set(clientId, message);
    this.#host.send({ type: "chat.send", clientId, text });
    this.#host.changed();
    return waiting.promise;
  }

  #refused({
    clientId,
    code,
    retryAfterMs,
  }: Extract<ServerMessage, { type: "chat.refused" }>): void {
    const message = this.#outgoing.get(clientId);
    if (!message) return;
    const error = refusal(code, retryAfterMs);
    this.#outgoing.set(clientId, { ...message, state: "refused", error });
    this.#settled(clientId)?.reject(error);
    this.#host.changed();
  }

  #settled(clientId: string): PromiseWithResolvers<void> | undefined {
    const waiting = this.#waiting.get(clientId);
    this.#waiting.delete(clientId);
    return waiting;
  }

  #changed(): void {
    this.#sorted = [...this.#messages.values()].sort((a, b) => a.seq - b.seq);
    this.#host.changed();
  }
}

type RefusedCode = Extract<ServerMessage, { type: "chat.refused" }>["code"];

const refusals = {
  "slow-down": ["rate-limited", "You write faster than the room allows."],
  muted: ["forbidden", "You are muted in this room."],
  "too-long": ["validation-failed", "The message is too long."],
  empty: ["validation-failed", "The message is empty."],
} as const;

function refusal(code: RefusedCode, retryAfterMs?: number): WeirError {
  const [problem, sentence] = refusals[code];
  return new WeirError(problem, sentence, { retryAfterMs });
}
