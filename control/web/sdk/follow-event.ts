import type { RoomStateWire, ServerMessage } from "#schema/channel.ts";
import type { OwnEvent, RoomEvent } from "#schema/events.ts";
import type { Directory } from "./directory.ts";
import type { Publications } from "./publications.ts";
import type { Talk } from "./talk.ts";
import type { RoomEvents } from "./types.ts";
import type { Watcher } from "./watcher.ts";

// Spatial layers go up to this one at most, whatever the codec.
const highestLayer = 7;

/** The parts of a room that change with what the server says. */
export interface FollowedBy {
  directory: Directory;
  watcher: Watcher;
  publications: Publications;
  talk: Talk;
  autoWatch: boolean;
  sessionId(): string | undefined;
  tell<Name extends keyof RoomEvents>(name: Name, payload: RoomEvents[Name]): void;
  tier(tier: number): void;
  reopened(tier: number, withinMs: number): void;
  closed(reason: string): void;
}

/** Brings a room up to date with one event and tells its listeners. */
export function followEvent(event: RoomEvent | OwnEvent, room: FollowedBy): void {
  const before =
    "broadcastId" in event ? room.directory.broadcasts.get(event.broadcastId) : undefined;
  const changed = room.directory.apply(event);
  switch (event.type) {
    case "session.joined":
      if (changed) room.tell("session.joined", event);
      return;
    case "session.left":
      // One's own end follows on the channel, with the reason for it.
      if (changed) room.tell("session.left", event);
      return;
    case "broadcast.started": {
      if (!changed) return;
      const { broadcast } = event;
      const own = broadcast.sessionId === room.sessionId();
      if (room.autoWatch && !own) room.watcher.want([broadcast.id]);
      room.tell("broadcast.started", { broadcast });
      return;
    }
    case "broadcast.stopped": {
      const { broadcastId, reason } = event;
      room.watcher.drop(broadcastId, false);
      room.publications.broadcastStopped(broadcastId);
      const why = reason === undefined ? {} : { reason };
      room.tell("broadcast.stopped", { broadcastId, broadcast: before, ...why });
      return;
    }
    case "broadcast.interrupted":
    case "broadcast.resumed":
    case "track.added":
    case "track.muted":
    case "track.unmuted":
    case "track.removed": {
      const broadcast = room.directory.broadcasts.get(event.broadcastId);
      if (!changed || !broadcast) return;
      if (event.type === "track.added") room.watcher.sync(broadcast.id);
      if (event.type === "track.removed") {
        room.watcher.trackRemoved(broadcast.id, event.trackId);
      }
      room.tell("broadcast.changed", { broadcast });
      return;
    }
    case "view.ready":
      // The page sees its own pictures sooner than the ledger does.
      return;
    case "view.lost":
      room.watcher.seats.lost(event);
      return;
    case "view.moved":
      room.watcher.seats.moved(event);
      return;
    case "view.renewed":
      room.watcher.seats.renewed(event);
      return;
    case "view.granted":
      room.watcher.seats.granted(event);
      return;
    case "broadcast.moved":
      room.publications.moved(event);
      return;
    case "room.reopened":
      room.reopened(event.tier, event.withinMs);
      return;
    case "room.closed":
      room.closed(event.reason);
      return;
  }
}

/** Brings a room up to date that missed too much to be told event by event. */
export function followResync(state: RoomStateWire, room: FollowedBy): void {
  room.directory.reset(state);
  room.tier(state.tier);
  room.watcher.resync(state.views);
  for (const broadcastId of room.publications.broadcastIds) {
    const live = room.directory.broadcasts.has(broadcastId);
    if (!live) room.publications.broadcastStopped(broadcastId);
  }
  if (room.autoWatch) room.watcher.want(room.directory.othersThan(room.sessionId()));
  room.tell("changed", undefined);
}

/** Takes in what else the channel brings: media, layers, chat and moderation. */
export function followMessage(message: ServerMessage, room: FollowedBy): void {
  if (message.type === "views.brought") {
    room.watcher.brought(message.watched);
    return;
  }
  if (message.type === "broadcast.layers") {
    const { broadcastId, spatialLayer } = message;
    room.publications.limitLayers(broadcastId, spatialLayer);
    return;
  }
  // What is watched may have changed unheard: all is sent until that is told.
  if (message.type === "welcome") room.publications.limitLayers(undefined, highestLayer);
  room.talk.read(message);
}
