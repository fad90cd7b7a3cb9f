import type {
  RoomSize,
  ViewPlacement,
  ViewRequest,
} from "#control/placement/decision.ts";
import { type Move, planFreedPoint } from "#control/placement/defragment.ts";
import type { Picture } from "#control/placement/picture.ts";
import { placeBroadcast } from "#control/placement/producer.ts";
import type { MediaClass } from "#schema/settings.ts";

/** How viewers are placed: Weir's own policy or one to compare it with. */
export interface Policy {
  readonly name: string;
  place(request: ViewRequest, picture: Picture): ViewPlacement;
  /** Whether a point may be freed by moves before a view is refused. */
  readonly moves?: boolean;
  /** Called when a room's last session has left. */
  forgetRoom?(roomId: string): void;
}

export interface SimRoom {
  id: string;
  size: RoomSize;
  sessions: Set<SimSession>;
  /** Live broadcasts, with the session of each. */
  broadcasts: Map<string, SimSession>;
}

export interface SimSession {
  id: string;
  room: SimRoom;
  /** What it watches: broadcast -> consumer worker. */
  views: Map<string, string>;
  broadcastIds: string[];
}

/**
 * Rooms, sessions and views over one picture: what the broker and the agents
 * would do, without network, database or time. Every change to capacity goes
 * through the picture's own methods.
 */
export class World {
  readonly picture: Picture;
  readonly policy: Policy;
  readonly rooms = new Map<string, SimRoom>();
  readonly sessions = new Map<string, SimSession>();
  asked = 0;
  refused = 0;
  /** Views that were moved to another worker. */
  moved = 0;
  #refusedIds: string[] = [];

  constructor(picture: Picture, policy: Policy) {
    this.picture = picture;
    this.policy = policy;
  }

  /** A session enters and watches all that is live; its room opens with the first. */
  join(roomId: string, sessionId: string, size: RoomSize): SimSession {
    let room = this.rooms.get(roomId);
    if (!room) {
      room = { id: roomId, size, sessions: new Set(), broadcasts: new Map() };
      this.rooms.set(roomId, room);
    }
    const session = { id: sessionId, room, views: new Map(), broadcastIds: [] };
    room.sessions.add(session);
    this.sessions.set(sessionId, session);
    this.watch(session, [...room.broadcasts.keys()]);
    return session;
  }

  /**
   * A session broadcasts, and everyone else in the room watches it.
   * @returns whether a producer worker had room
   */
  broadcast(session: SimSession, mediaClass: MediaClass): boolean {
    const { room } = session;
    const dedicated = mediaClass === "camera";
    const { secondProducerWorkerFrom } = this.picture.settings.weight;
    const producerWorkersMax = room.size.broadcasts >= secondProducerWorkerFrom ? 2 : 1;
    const request = { roomId: room.id, mediaClass, dedicated, producerWorkersMax };
    const place = placeBroadcast(request, this.picture);
    if ("code" in place) return false;
    if (place.dedicates) this.picture.dedicate(place.workerId, room.id);
    const id = `broadcast_of_${session.id}_${mediaClass}`;
    const homeRoomId = room.id;
    const producerWorkerId = place.workerId;
    this.picture.addBroadcast({ id, homeRoomId, producerWorkerId, mediaClass });
    session.broadcastIds.push(id);
    room.broadcasts.set(id, session);
    for (const other of room.sessions) if (other !== session) this.watch(other, [id]);
    return true;
  }

  /** Places views; what is refused stays unwatched. */
  watch(session: SimSession, broadcastIds: readonly string[]): ViewPlacement {
    const request: ViewRequest = {
      roomId: session.room.id,
      sessionId: session.id,
      sessionWorkers: new Set(session.views.values()),
      broadcastIds,
      roomSize: session.room.size,
    };
    if (broadcastIds.length === 0) return { placed: [], refused: [] };
    const placement = this.#place(request);
    this.asked += broadcastIds.length;
    this.refused += placement.refused.length;
    for (const { broadcastId } of placement.refused) this.#refusedIds.push(broadcastId);
    for (const { broadcastId, workerId } of placement.placed) {
      this.#seat(session, broadcastId, workerId);
    }
    return placement;
  }

  /** Asks the policy, and once more for each point that moves can free. */
  #place(request: ViewRequest): ViewPlacement {
    let placement = this.policy.place(request, this.picture);
    if (!this.policy.moves) return placement;
    for (let tries = placement.refused.length; tries > 0; tries -= 1) {
      if (placement.refused.length === 0) break;
      const freed = planFreedPoint(this.picture, "camera");
      if (!freed) break;
      for (const move of freed.moves) this.#move(move);
      placement = this.policy.place(request, this.picture);
    }
    return placement;
  }

  /** Moves views as the broker would: any of the slot's viewers will do. */
  #move({ roomId, broadcastId, fromWorkerId, toWorkerId, views }: Move): void {
    let left = views;
    for (const session of this.rooms.get(roomId)?.sessions ?? []) {
      if (left === 0 || session.views.get(broadcastId) !== fromWorkerId) continue;
      left -= 1;
      this.moved += 1;
      this.unwatch(session, broadcastId);
      this.#seat(session, broadcastId, toWorkerId);
    }
  }

  #seat(session: SimSession, broadcastId: string, workerId: string): void {
    this.#openPipe(broadcastId, workerId);
    this.picture.changeSeats(session.room.id, broadcastId, workerId, 1);
    session.views.set(broadcastId, workerId);
  }

  /** Broadcasts of which a view was refused since the last call. */
  takeRefused(): string[] {
    const ids = this.#refusedIds;
    this.#refusedIds = [];
    return ids;
  }

  leave(sessionId: string): void {
    const session = this.sessions.get(sessionId);
    if (!session) return;
    const { room } = session;
    for (const broadcastId of session.broadcastIds) this.#stop(room, broadcastId);
    for (const broadcastId of [...session.views.keys()])
      this.unwatch(session, broadcastId);
    room.sessions.delete(session);
    this.sessions.delete(sessionId);
    if (room.sessions.size > 0) return;
    this.rooms.delete(room.id);
    this.policy.forgetRoom?.(room.id);
    for (const id of [...this.picture.producersOf(room.id)]) {
      this.picture.dedicate(id, undefined);
    }
  }

  /** Ends one view; a pipe that nobody watches is closed at once. */
  unwatch(session: SimSession, broadcastId: string): void {
    const workerId = session.views.get(broadcastId);
    if (!workerId) return;
    session.views.delete(broadcastId);
    this.picture.changeSeats(session.room.id, broadcastId, workerId, -1);
    const slots = this.picture.slotsOf(broadcastId);
    if (slots.some((slot) => slot.workerId === workerId)) return;
    this.picture.dropPipe(broadcastId, workerId);
  }

  #stop(room: SimRoom, broadcastId: string): void {
    for (const session of room.sessions) this.unwatch(session, broadcastId);
    room.broadcasts.delete(broadcastId);
    this.picture.dropBroadcast(broadcastId);
  }

  #openPipe(broadcastId: string, consumerWorkerId: string): void {
    const before = this.picture.pipe(broadcastId, consumerWorkerId);
    if (before?.state === "open") return;
    const producerWorkerId = this.picture.broadcasts.get(broadcastId)?.producerWorkerId;
    if (!producerWorkerId) throw new Error(`${broadcastId} was placed but is not live.`);
    const generation = (before?.generation ?? 0) + 1;
    this.picture.putPipe({
      broadcastId,
      producerWorkerId,
      consumerWorkerId,
      state: "open",
      generation,
      legs: 2,
    });
  }
}
