import type { OwnEvent, RoomEvent } from "#schema/events.ts";
import type { Numbered, RoomNews } from "../broker/telling.ts";
import { attach, attachmentOf, type ChannelSockets } from "./channel-sockets.ts";
import type { brokerOf } from "./names.ts";

interface DeskOptions {
  sockets: ChannelSockets;
  broker: (roomId: string) => ReturnType<typeof brokerOf>;
  /** Events that a socket missed and is still told one by one. */
  catchUpMax: number;
  /** Called for a socket whose session has ended. */
  onEnded: (socket: WebSocket) => void;
  /** Keeps the object awake for work that nobody waits for. */
  later: (work: Promise<void>) => void;
}

/** Hands the room's and the sessions' numbered events to their sockets, each once. */
export class NewsDesk {
  readonly #options: DeskOptions;
  /** Sockets that are being told what they missed; new events wait for that. */
  readonly #catchingUp = new Set<WebSocket>();

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** Tells a room's sockets what a commit has for them. */
  deliver(roomId: string, news: RoomNews): void {
    const { sockets, onEnded, later } = this.#options;
    for (const socket of [...sockets.ofRoom(roomId)]) {
      if (this.#catchingUp.has(socket)) continue;
      const told = this.#tell(socket, news);
      if (told === "gap") later(this.catchUp(socket));
      else if (told === "ended") onEnded(socket);
    }
  }

  /** Sends what a socket missed, from the database, until nothing is missing. */
  async catchUp(socket: WebSocket): Promise<void> {
    const roomId = attachmentOf(socket)?.roomId;
    if (!roomId || this.#catchingUp.has(socket)) return;
    const { broker, onEnded } = this.#options;
    this.#catchingUp.add(socket);
    try {
      if (await this.#tellMissed(socket, broker(roomId))) onEnded(socket);
    } catch {
      // The client comes back and asks again.
      socket.close(1013, "try again later");
    } finally {
      this.#catchingUp.delete(socket);
    }
  }

  /** @returns `gap` where earlier news is missing, `ended` where its session ended */
  #tell(socket: WebSocket, news: RoomNews): "told" | "gap" | "ended" {
    const attachment = attachmentOf(socket);
    if (!attachment?.sessionId) return "told";
    const own = news.own[attachment.sessionId] ?? [];
    if (isBehind(news.events, attachment.sentSeq)) return "gap";
    if (isBehind(own, attachment.sentOwnSeq)) return "gap";
    return this.#send(socket, news.events, own) ? "ended" : "told";
  }

  /**
   * Sends what a socket missed of both streams, or the room's present state where
   * that is too much or no longer kept.
   * @returns whether the socket's session has ended
   */
  async #tellMissed(
    socket: WebSocket,
    broker: ReturnType<typeof brokerOf>,
  ): Promise<boolean> {
    const { sockets, catchUpMax } = this.#options;
    for (;;) {
      const attachment = attachmentOf(socket);
      if (!attachment?.sessionId) return false;
      const { roomId, sessionId, sentSeq, sentOwnSeq } = attachment;
      const [events, own] = await Promise.all([
        broker.eventsAfter<RoomEvent>(roomId, sentSeq),
        broker.eventsAfter<OwnEvent>(sessionId, sentOwnSeq),
      ]);
      if (events.length === 0 && own.length === 0) return false;
      const lost = isBehind(events, sentSeq) || isBehind(own, sentOwnSeq);
      if (lost || events.length + own.length > catchUpMax) {
        const answer = await broker.ask("readRoomState", { roomId, sessionId });
        if (!answer.ok) return answer.refusal.refusal === "not-found";
        const { seq, ownSeq } = answer.value;
        attach(socket, { ...attachment, sentSeq: seq, sentOwnSeq: ownSeq });
        sockets.send(socket, { type: "resync", state: answer.value });
      } else if (this.#send(socket, events, own)) return true;
    }
  }

  /** @returns whether these events end the socket's session */
  #send(
    socket: WebSocket,
    events: Numbered<RoomEvent>[],
    own: Numbered<OwnEvent>[],
  ): boolean {
    const { sockets } = this.#options;
    const attachment = attachmentOf(socket);
    if (!attachment) return false;
    let ended = false;
    for (const { seq, event } of events) {
      if (seq <= attachment.sentSeq) continue;
      attachment.sentSeq = seq;
      sockets.send(socket, { type: "event", seq, event });
      ended ||= event.type === "room.closed";
      ended ||= event.type === "session.left" && event.sessionId === attachment.sessionId;
    }
    for (const { seq, event } of own) {
      if (seq <= attachment.sentOwnSeq) continue;
      attachment.sentOwnSeq = seq;
      sockets.send(socket, { type: "own", seq, event });
    }
    attach(socket, attachment);
    return ended;
  }
}

function isBehind(news: Numbered<unknown>[], sentSeq: number): boolean {
  const first = news.find(({ seq }) => seq > sentSeq);
  return first !== undefined && first.seq > sentSeq + 1;
}
