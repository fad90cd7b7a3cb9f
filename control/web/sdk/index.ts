import { Room } from "./room.ts";
import type { ConnectOptions } from "./types.ts";

/**
 * Enters a room.
 *
 *     const room = await connect({ url, roomId, token, autoWatch: true });
 *     room.on("view", (view) => view.attach(videoOf(view.broadcastId)));
 *     await room.publishCamera();
 *
 * @throws WeirError why the room cannot be entered
 */
export async function connect(options: ConnectOptions): Promise<Room> {
  const requestedAtMs = performance.now();
  const room = new Room(options);
  await room.enter(requestedAtMs);
  return room;
}

export { callApi } from "./api.ts";
export type { CameraChoice } from "./capture.ts";
export { type Chat, type Outgoing, textMax } from "./chat.ts";
export { type Device, type Devices, listDevices, onDevicesChanged } from "./devices.ts";
export { asWeirError, isPassing, WeirError, type WeirErrorCode } from "./errors.ts";
export type { Moderation, ModerationAction } from "./moderation.ts";
export type { Publication, PublicationState } from "./publication.ts";
export { Room } from "./room.ts";
export type { MediaStats, RoomStats } from "./stats.ts";
export type { CameraOptions, ConnectOptions, RoomEvents, RoomState } from "./types.ts";
export type { View, ViewState } from "./view.ts";
export type { ViewOptions, ViewReceiving } from "./view-options.ts";
