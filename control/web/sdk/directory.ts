import type { Entry } from "#schema/api/rooms.ts";
import type { BroadcastInfo, OwnEvent, RoomEvent } from "#schema/events.ts";

/** Who is in the room and what is broadcast there, kept up to date by events. */
export class Directory {
  /** Identities by session id. */
  readonly sessions = new Map<string, string>();
  readonly broadcasts = new Map<string, BroadcastInfo>();

  /** Starts over with what an entry or a resync says. */
  reset(entry: Pick<Entry, "sessions" | "broadcasts">): void {
    this.sessions.clear();
    this.broadcasts.clear();
    for (const { id, identity } of entry.sessions) {
      this.sessions.set(id, identity);
    }
    for (const broadcast of entry.broadcasts) this.#put(broadcast);
  }

  /** The ids of all broadcasts but those of one session. */
  othersThan(sessionId: string | undefined): string[] {
    const others = [...this.broadcasts.values()].filter(
      (broadcast) => broadcast.sessionId !== sessionId,
    );
    return others.map(({ id }) => id);
  }

  /**
   * Applies an event; one that repeats what is known changes nothing.
   * @returns whether anything changed
   */
  apply(event: RoomEvent | OwnEvent): boolean {
    switch (event.type) {
      case "session.joined":
        if (this.sessions.has(event.sessionId)) return false;
        this.sessions.set(event.sessionId, event.identity);
        return true;
      case "session.left":
        return this.sessions.delete(event.sessionId);
      case "broadcast.started":
        if (this.broadcasts.has(event.broadcast.id)) return false;
        this.#put(event.broadcast);
        return true;
      case "broadcast.stopped":
        return this.broadcasts.delete(event.broadcastId);
      case "broadcast.interrupted":
        return this.#interrupt(event.broadcastId, true);
      case "broadcast.resumed":
        return this.#interrupt(event.broadcastId, false);
      case "track.added": {
        const tracks = this.broadcasts.get(event.broadcastId)?.tracks;
        if (!tracks || tracks.some(({ id }) => id === event.track.id)) return false;
        tracks.push({ ...event.track });
        return true;
      }
      case "track.removed": {
        const broadcast = this.broadcasts.get(event.broadcastId);
        if (!broadcast) return false;
        const left = broadcast.tracks.filter(({ id }) => id !== event.trackId);
        const changed = left.length < broadcast.tracks.length;
        broadcast.tracks = left;
        return changed;
      }
      case "track.muted":
        return this.#pause(event.broadcastId, event.trackId, true);
      case "track.unmuted":
        return this.#pause(event.broadcastId, event.trackId, false);
      // What happens to views, and what only a newer server tells of.
      default:
        return false;
    }
  }

  // Copied, as events change it: what a caller passed in stays as it was.
  #put(broadcast: BroadcastInfo): void {
    const tracks = broadcast.tracks.map((track) => ({ ...track }));
    this.broadcasts.set(broadcast.id, { ...broadcast, tracks });
  }

  #interrupt(broadcastId: string, interrupted: boolean): boolean {
    const broadcast = this.broadcasts.get(broadcastId);
    if (!broadcast || (broadcast.interrupted ?? false) === interrupted) return false;
    broadcast.interrupted = interrupted;
    return true;
  }

  #pause(broadcastId: string, trackId: string, paused: boolean): boolean {
    const tracks = this.broadcasts.get(broadcastId)?.tracks;
    const track = tracks?.find(({ id }) => id === trackId);
    if (!track || track.paused === paused) return false;
    track.paused = paused;
    return true;
  }
}
