import type { RoomSize } from "#control/placement/decision.ts";
import { pointsOf } from "#control/placement/weight.ts";
import type { Settings } from "#schema/settings.ts";
import { Random } from "./random.ts";

/** One thing that happens, the same for every policy. */
type TraceEvent =
  | {
      type: "join";
      roomId: string;
      sessionId: string;
      size: RoomSize;
      broadcasts: boolean;
    }
  | { type: "leave"; sessionId: string };

/** A room as the trace plans it: what it will be if all of it finds a place. */
interface PlannedRoom {
  id: string;
  size: RoomSize;
  broadcasters: number;
  viewers: number;
  sessions: string[];
  broadcasting: Set<string>;
}

interface TraceShape {
  seed: number;
  settings: Settings;
  /** Points that the fleet holds, and the share of them that is asked for. */
  points: number;
  load: number;
  /** Events after the load was reached. */
  events: number;
}

/**
 * Joins and leaves that hold the demand, counted as if nothing were refused and
 * everything repacked, close to a share of the fleet. Rooms have 2 to 60
 * viewers, 1 to 12 of whom broadcast; a room ends with its last session.
 */
export class Trace {
  readonly events: TraceEvent[] = [];
  /** How many events come before the load is reached for the first time. */
  warmUp = 0;
  readonly #random: Random;
  readonly #shape: TraceShape;
  readonly #rooms: PlannedRoom[] = [];
  #points = 0;
  #made = 0;

  constructor(shape: TraceShape) {
    this.#shape = shape;
    this.#random = new Random(shape.seed);
    const target = shape.points * shape.load;
    while (this.#points < target) this.#join();
    this.warmUp = this.events.length;
    while (this.events.length < this.warmUp + shape.events) {
      // The pull back to the target lets the demand stray by about two per cent.
      const pull = (4 * (target - this.#points)) / target;
      if (this.#random.next() < 0.5 + pull) this.#join();
      else this.#leave();
    }
  }

  #join(): void {
    const open = this.#rooms.filter((room) => room.sessions.length < room.viewers);
    // Enough rooms fill at the same time to mix their slots on the workers.
    const room = open.length >= 24 ? this.#random.pick(open) : this.#openRoom();
    const sessionId = `session_sim_${this.#made++}`;
    this.#points -= this.#demandOf(room);
    room.sessions.push(sessionId);
    const broadcasts = room.broadcasting.size < room.broadcasters;
    if (broadcasts) room.broadcasting.add(sessionId);
    this.#points += this.#demandOf(room);
    const { id: roomId, size } = room;
    this.events.push({ type: "join", roomId, sessionId, size, broadcasts });
  }

  #leave(): void {
    const busy = this.#rooms.filter((room) => room.sessions.length > 0);
    if (busy.length === 0) return;
    const room = this.#random.pick(busy);
    const sessionId = this.#random.pick(room.sessions);
    this.#points -= this.#demandOf(room);
    room.sessions.splice(room.sessions.indexOf(sessionId), 1);
    room.broadcasting.delete(sessionId);
    this.#points += this.#demandOf(room);
    if (room.sessions.length === 0) this.#rooms.splice(this.#rooms.indexOf(room), 1);
    this.events.push({ type: "leave", sessionId });
  }

  #openRoom(): PlannedRoom {
    const { room, size } = randomRoom(this.#random, this.#shape.settings);
    const id = `room_sim_${this.#made++}`;
    const planned = { id, size, ...room, sessions: [], broadcasting: new Set<string>() };
    this.#rooms.push(planned);
    return planned;
  }

  #demandOf(room: PlannedRoom): number {
    const seats = this.#shape.settings.weight.seatsPerPoint.camera;
    const sessions = room.sessions.length;
    if (sessions < 2) return 0;
    return room.broadcasting.size * pointsOf(sessions - 1, seats);
  }
}

/** A room of a random size, and the smallest tier that it fits. */
export function randomRoom(random: Random, settings: Settings) {
  const viewers = random.between(2, 60);
  const broadcasters = random.between(1, Math.min(12, viewers));
  const size = settings.tiers.find(
    (tier) => tier.broadcasts >= broadcasters && tier.viewers >= viewers,
  );
  if (!size) throw new Error("No tier is large enough for the simulated rooms.");
  return { room: { viewers, broadcasters }, size };
}
