import type { Broker } from "#control/broker/broker.ts";
import { newId } from "#schema/ids.ts";
import { granted } from "./join-zone.ts";

/** Rooms that people join and leave, each with so many live broadcasts. */
export const roomCount = 8;
export const broadcastCount = 6;

/** The account of the deployment's own API key. */
export const accountId = "account_local_first";

/** What somebody who may do everything brings to a room. */
export function entryOf(roomId: string, identity: string) {
  return { roomId, identity, canPublish: true, canSubscribe: true, roomAdmin: false };
}

/**
 * Opens rooms with live broadcasts that somebody watches already, so that their
 * pipes are open: what is measured is the join, not the first one of a room.
 * @returns the rooms' ids
 */
export async function openRooms(broker: Broker, zone: string): Promise<string[]> {
  const rooms: string[] = [];
  for (let at = 0; at < roomCount; at += 1) {
    const room = { accountId, tier: 3, name: `room ${at}`, reserve: false };
    const { id: roomId } = await granted(broker, "createRoom", room);
    for (let number = 0; number < broadcastCount; number += 1) {
      await goLive(broker, zone, roomId, `broadcaster ${number}`);
    }
    await stay(broker, roomId);
    rooms.push(roomId);
  }
  return rooms;
}

async function enter(broker: Broker, roomId: string, identity: string): Promise<string> {
  const { sessionId } = await granted(broker, "enterRoom", entryOf(roomId, identity));
  await granted(broker, "attachSession", { roomId, sessionId });
  return sessionId;
}

async function goLive(
  broker: Broker,
  zone: string,
  roomId: string,
  identity: string,
): Promise<void> {
  const sessionId = await enter(broker, roomId, identity);
  const claim = { roomId, sessionId, media: "camera" as const };
  const { broadcastId } = await granted(broker, "claimBroadcast", claim);
  for (const kind of ["audio", "video"] as const) {
    await granted(broker, "addTrack", {
      roomId,
      sessionId,
      broadcastId,
      trackId: newId("track", zone),
      kind,
      source: kind === "audio" ? "microphone" : "camera",
      paused: false,
    });
  }
}

/** Somebody who watches all there is for as long as the benchmark runs. */
async function stay(broker: Broker, roomId: string): Promise<void> {
  const sessionId = await enter(broker, roomId, "somebody who stays");
  const claimed = await granted(broker, "claimViews", {
    roomId,
    sessionId,
    broadcasts: "all",
  });
  if (claimed.views.length !== broadcastCount) throw new Error("Not all can be watched.");
  const pipes = claimed.views.map(({ broadcastId, consumer, generation }) => ({
    broadcastId,
    workerId: consumer.workerId,
    generation,
  }));
  await granted(broker, "openPipes", { pipes });
  const viewIds = claimed.views.map(({ viewId }) => viewId);
  await granted(broker, "activateViews", { roomId, sessionId, viewIds });
}
