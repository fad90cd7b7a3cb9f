import { Room } from "./room.ts";
import type { ConnectOptions } from "./types.ts";

/**
 * Enters a room.
 *
 *     const room = await connect({ url, roomId, token, autoWatch: true });
 *     room.on("view", (view) => view.attach(videoOf(view.broadcastId)));
 *     await room.publishCamera();
 *
 * What is watched and sent from then on is kept through failures, on two levels:
 *
 * - RESUME: the session goes on and nothing is lost. Connections are restarted (ICE),
 *   and where that fails the same views and broadcasts get new transports. Views
 *   change servers with the old picture playing until the new one is decoded.
 * - RECONNECT: the session is over. The room is entered again, by the credential of
 *   the session before or a token, and everything is asked for anew.
 *
 * Both try again with growing, random pauses until it works, makes no sense any more
 * (the room is closed, one was sent out) or `leave()` is called. `room.state`,
 * `view.state` and `publication.state` say what is going on.
 *
 * @throws WeirError why the room cannot be entered
 */
export async function connect(options: ConnectOptions): Promise<Room> {
  const requestedAtMs = performance.now();
  const room = new Room(options);
  await room.enter(requestedAtMs);
  return room;
}

export type { Room as RoomInfo } from "#schema/api/rooms.ts";
export type { ChatMessage } from "#schema/channel.ts";
export type { BroadcastInfo } from "#schema/events.ts";
export { type CallOptions, callApi, type Method, type StreamKey } from "./api.ts";
export type { CameraChoice } from "./capture.ts";
export { type Chat, type Outgoing, textMax } from "./chat.ts";
export { type Device, type Devices, listDevices, onDevicesChanged } from "./devices.ts";
export {
  asWeirError,
  isPassing,
  type LocalCode,
  WeirError,
  type WeirErrorCode,
} from "./errors.ts";
export type { Moderation, ModerationAction } from "./moderation.ts";
export type { Publication, PublicationState } from "./publication.ts";
export { Room } from "./room.ts";
export type { MediaStats, RoomStats } from "./stats.ts";
export type { CameraOptions, ConnectOptions, RoomEvents, RoomState } from "./types.ts";
export type { View, ViewState } from "./view.ts";
export type { ViewOptions, ViewReceiving } from "./view-options.ts";
