import type { OwnEvent, RoomEvent } from "#schema/events.ts";
import type { Numbered, RoomNews } from "../broker/telling.ts";
import { attach, attachmentOf, type ChannelSockets } from "./channel-sockets.ts";
import type { brokerOf } from "./names.ts";

/**
 * Sends a commit's news to one socket.
 * @returns `gap` where earlier news is missing, `ended` where its session ended
 */
export function tellNews(
  sockets: ChannelSockets,
  socket: WebSocket,
  news: RoomNews,
): "told" | "gap" | "ended" {
  const attachment = attachmentOf(socket);
  if (!attachment?.sessionId) return "told";
  const own = news.own[attachment.sessionId] ?? [];
  if (isBehind(news.events, attachment.sentSeq)) return "gap";
  if (isBehind(own, attachment.sentOwnSeq)) return "gap";
  return sendNumbered(sockets, socket, news.events, own) ? "ended" : "told";
}

/**
 * Sends one socket what it missed of both streams, read from the database, or
 * the room's present state where that is too much or no longer kept.
 * @param catchUpMax events that are still told one by one
 * @returns whether the socket's session has ended
 */
export async function catchUp(
  sockets: ChannelSockets,
  socket: WebSocket,
  broker: ReturnType<typeof brokerOf>,
  catchUpMax: number,
): Promise<boolean> {
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
    } else if (sendNumbered(sockets, socket, events, own)) return true;
  }
}

function isBehind(news: Numbered<unknown>[], sentSeq: number): boolean {
  const first = news.find(({ seq }) => seq > sentSeq);
  return first !== undefined && first.seq > sentSeq + 1;
}

/** @returns whether these events end the socket's session */
function sendNumbered(
  sockets: ChannelSockets,
  socket: WebSocket,
  events: Numbered<RoomEvent>[],
  own: Numbered<OwnEvent>[],
): boolean {
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
