import type { Client, Row } from "@libsql/client/web";
import type { RoomEvent } from "#schema/events.ts";

/** A room as somebody knows it who has heard nothing but its events. */
interface Replayed {
  sessions: Set<string>;
  /** Tracks of each live broadcast: id -> paused. */
  broadcasts: Map<string, { media: string; tracks: Map<string, boolean> }>;
  closed: boolean;
}

/** Plays a room's events from its first. */
export function replay(events: readonly RoomEvent[]): Replayed {
  const room: Replayed = { sessions: new Set(), broadcasts: new Map(), closed: false };
  const tracksOf = (broadcastId: string) => {
    const broadcast = room.broadcasts.get(broadcastId);
    if (!broadcast) throw new Error(`An event is about ${broadcastId}, never started.`);
    return broadcast.tracks;
  };
  for (const event of events) {
    switch (event.type) {
      case "session.joined":
        room.sessions.add(event.sessionId);
        break;
      case "session.left":
        if (!room.sessions.delete(event.sessionId)) {
          throw new Error(`${event.sessionId} left without having joined.`);
        }
        break;
      case "broadcast.started": {
        const { id, media, tracks } = event.broadcast;
        if (room.broadcasts.has(id)) throw new Error(`${id} started twice.`);
        const byId = new Map(tracks.map((track) => [track.id, track.paused]));
        room.broadcasts.set(id, { media, tracks: byId });
        break;
      }
      case "broadcast.stopped":
        tracksOf(event.broadcastId);
        room.broadcasts.delete(event.broadcastId);
        break;
      case "track.added":
        tracksOf(event.broadcastId).set(event.track.id, event.track.paused);
        break;
      case "track.removed":
        tracksOf(event.broadcastId).delete(event.trackId);
        break;
      case "track.muted":
      case "track.unmuted":
        tracksOf(event.broadcastId).set(event.trackId, event.type === "track.muted");
        break;
      case "room.closed":
        room.closed = true;
        break;
      case "room.reopened":
      case "reservation.reduced":
    }
  }
  return room;
}

/**
 * Compares every room's replayed events with its rows.
 * @returns what differs, a line each; empty where nothing does
 */
export async function checkReplay(client: Client): Promise<string[]> {
  const [rooms, sessions, tracks, events] = await client.batch(
    [
      "SELECT id, state, sessions_present FROM room",
      "SELECT room_id, id FROM session ORDER BY id",
      `SELECT br.room_id, t.broadcast_id, t.id, t.paused FROM track t
        JOIN broadcast_room br ON br.broadcast_id = t.broadcast_id ORDER BY t.id`,
      "SELECT stream_id, event FROM event ORDER BY stream_id, seq",
    ],
    "read",
  );
  const wrong: string[] = [];
  for (const room of rooms?.rows ?? []) {
    const own = (events?.rows ?? []).filter((row) => row.stream_id === room.id);
    const played = replay(own.map((row) => JSON.parse(String(row.event)) as RoomEvent));
    const compare = (what: string, inEvents: unknown, inRows: unknown) => {
      const [a, b] = [JSON.stringify(inEvents), JSON.stringify(inRows)];
      if (a !== b) wrong.push(`${room.id} ${what}: its events say ${a}, its rows ${b}`);
    };
    const inRoom = (row: Row) => row.room_id === room.id;
    const present = (sessions?.rows ?? []).filter(inRoom).map(({ id }) => id);
    compare("sessions", [...played.sessions].sort(), present);
    compare("sessions present", played.sessions.size, room.sessions_present);
    compare("closed", played.closed, room.state === "closed");
    const heard = [...played.broadcasts].flatMap(([id, broadcast]) =>
      [...broadcast.tracks].map(([track, paused]) => `${track} of ${id} ${paused}`),
    );
    const live = (tracks?.rows ?? [])
      .filter(inRoom)
      .map((row) => `${row.id} of ${row.broadcast_id} ${row.paused === 1}`);
    compare("tracks", heard.sort(), live.sort());
    const empty = [...played.broadcasts].filter(([, { tracks: of }]) => of.size === 0);
    compare("broadcasts without a track", empty.length, 0);
  }
  return wrong;
}
