import { chatTextMax, type clientMessage } from "#schema/channel.ts";
import type { Settings } from "#schema/settings.ts";
import { FloodLimit } from "../auth/flood-limit.ts";
import type { Attachment, ChannelSockets, RefusedCode } from "./channel-sockets.ts";
import type { ChatLog } from "./chat-log.ts";
import type { brokerOf } from "./names.ts";

type Message = ReturnType<typeof clientMessage.parse>;
type Send = Extract<Message, { type: "chat.send" }>;
type Moderate = Extract<Message, { type: "moderate" }>;
type Sender = Attachment & { sessionId: string };

interface DeskOptions {
  sockets: ChannelSockets;
  log: ChatLog;
  settings: Settings["chat"];
  broker: (roomId: string) => ReturnType<typeof brokerOf>;
  /** Voids the tokens that an identity has for a room; answers why it could not. */
  revoke: (roomId: string, identity: string) => Promise<string | undefined>;
  /** Notes why a session that is about to end was sent away. */
  sendAway: (sessionId: string, code: RefusedCode) => void;
}

/** What sessions say to each other, and what moderators do about it. */
export class ChatDesk {
  readonly #options: DeskOptions;
  readonly #flood: FloodLimit;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#flood = new FloodLimit(options.settings);
  }

  /** Tells a newcomer what was said, and one who came back what changed meanwhile. */
  greet(socket: WebSocket, roomId: string, afterChatSeq: number): void {
    const { log, sockets } = this.#options;
    for (const seq of log.deletedUpTo(roomId, afterChatSeq)) {
      sockets.send(socket, { type: "chat.deleted", seq });
    }
    const messages = log.history(roomId, afterChatSeq);
    if (messages.length > 0) sockets.send(socket, { type: "chat", messages });
  }

  /** A session's socket is gone: its allowance need not be remembered. */
  forget(sessionId: string): void {
    this.#flood.forget(sessionId);
  }

  async take(socket: WebSocket, from: Sender, message: Message): Promise<void> {
    if (message.type === "chat.send") this.#say(socket, from, message);
    else if (message.type === "chat.delete") this.#delete(socket, from, message.seq);
    else if (message.type === "moderate") await this.#moderate(socket, from, message);
  }

  #say(socket: WebSocket, from: Sender, { clientId, text }: Send): void {
    const { log, sockets } = this.#options;
    const { roomId, sessionId, identity } = from;
    const refused = (code: "slow-down" | "muted" | "too-long" | "empty", ms?: number) =>
      sockets.send(socket, { type: "chat.refused", clientId, code, retryAfterMs: ms });
    const before = log.sentBefore(roomId, identity, clientId);
    if (before) {
      sockets.send(socket, { type: "chat.receipt", clientId, ...before });
      return;
    }
    const trimmed = text.trim();
    const code = this.#refusalOf(roomId, identity, trimmed);
    if (code) {
      refused(code);
      return;
    }
    const nowMs = Date.now();
    const waitMs = this.#flood.take(sessionId, nowMs);
    if (waitMs > 0) {
      refused("slow-down", waitMs);
      return;
    }
    const said = log.add(roomId, clientId, {
      atMs: nowMs,
      sessionId,
      identity,
      text: trimmed,
    });
    sockets.send(socket, { type: "chat.receipt", clientId, seq: said.seq, atMs: nowMs });
    sockets.broadcast(roomId, { type: "chat", messages: [said] });
  }

  #refusalOf(roomId: string, identity: string, text: string) {
    if (text === "") return "empty";
    if (text.length > chatTextMax) return "too-long";
    return this.#options.log.isMuted(roomId, identity) ? "muted" : undefined;
  }

  #delete(socket: WebSocket, { roomId, identity, roomAdmin }: Sender, seq: number): void {
    const { log, sockets } = this.#options;
    const author = log.authorOf(roomId, seq);
    if (author === undefined) return;
    if (author !== identity && !roomAdmin) {
      const reason = "Only its author or a moderator deletes a message.";
      sockets.send(socket, { type: "moderation.refused", reason });
      return;
    }
    log.delete(roomId, seq);
    sockets.broadcast(roomId, { type: "chat.deleted", seq });
  }

  async #moderate(socket: WebSocket, from: Sender, message: Moderate): Promise<void> {
    const { log, sockets } = this.#options;
    const { roomId, roomAdmin, identity: by } = from;
    const { action, identity } = message;
    if (!roomAdmin) {
      const reason = "Moderation needs the roomAdmin grant.";
      sockets.send(socket, { type: "moderation.refused", reason });
      return;
    }
    if (action === "mute" || action === "unmute") {
      log.setMuted(roomId, identity, action === "mute");
    } else {
      const refused = await this.#sendOut(from, action, identity);
      if (refused) {
        sockets.send(socket, { type: "moderation.refused", reason: refused });
        return;
      }
    }
    sockets.broadcast(roomId, { type: "moderated", action, identity, by });
  }

  /** @returns why it could not be done, if so */
  async #sendOut(
    { roomId, sessionId }: Sender,
    action: "kick" | "ban" | "unban",
    identity: string,
  ): Promise<string | undefined> {
    const { broker, revoke, sendAway } = this.#options;
    const code = action === "ban" ? "banned" : "kicked";
    // The ban kept its tokens out; lifting it must not make them good again.
    const unrevoked = action === "unban" && (await revoke(roomId, identity));
    if (unrevoked) return unrevoked;
    const listed = await broker(roomId).ask("listSessions", { roomId });
    // Noted before: the sessions' ends reach their sockets with the commit.
    if (listed.ok && action !== "unban") {
      for (const one of listed.value.sessions) {
        if (one.identity === identity) sendAway(one.id, code);
      }
    }
    const answer = await broker(roomId).ask(action, { roomId, sessionId, identity });
    return answer.ok ? undefined : (answer.refusal.detail ?? answer.refusal.refusal);
  }
}
