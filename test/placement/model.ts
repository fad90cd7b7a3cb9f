import fc from "fast-check";
import { checkPicture } from "#control/placement/invariants.ts";
import type { Picture } from "#control/placement/picture.ts";
import { placeViews } from "#control/placement/place.ts";
import { isReservationRefused, planReservation } from "#control/placement/reserve.ts";
import { newPolicy } from "#test/sim/policies.ts";
import { type SimSession, World } from "#test/sim/world.ts";
import { snapshotOf } from "./fixtures.ts";

/** The system under test: placement on a picture, driven by random events. */
export interface Real {
  world: World;
  made: number;
}

/** The model keeps nothing: what has to hold can be read from the picture. */
type Model = Record<string, never>;

export type Step = fc.Command<Model, Real>;

/** Runs a step and then checks everything that has to hold at any moment. */
class CheckedStep implements Step {
  readonly #name: string;
  readonly #act: (real: Real, made: () => number) => void;

  constructor(name: string, act: (real: Real, made: () => number) => void) {
    this.#name = name;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  run(_: Model, real: Real): void {
    this.#act(real, () => real.made++);
    const wrong = checkPicture(real.world.picture);
    if (wrong.length > 0) throw new Error(`After ${this.#name}:\n${wrong.join("\n")}`);
  }

  toString(): string {
    return this.#name;
  }
}

function nth<T>(items: Iterable<T>, at: number): T | undefined {
  const all = [...items];
  return all.length > 0 ? all[at % all.length] : undefined;
}

/** Several sessions enter one after the other; the first of them broadcast. */
function join(
  roomAt: number,
  tier: number,
  sessions: number,
  broadcasters: number,
): Step {
  const name = `join(room ${roomAt}, tier ${tier}, ${sessions} of them, ${broadcasters} live)`;
  return new CheckedStep(name, ({ world }, made) => {
    const size = world.picture.settings.tiers[tier];
    if (!size) throw new Error(`There is no tier ${tier}.`);
    for (let at = 0; at < sessions; at += 1) {
      const session = world.join(`room${roomAt}`, `session${made()}`, size);
      if (at < broadcasters) world.broadcast(session, "camera");
    }
  });
}

function leave(at: number): Step {
  return new CheckedStep(`leave(${at})`, ({ world }) => {
    const session = nth(world.sessions.values(), at);
    if (session) world.leave(session.id);
  });
}

function broadcast(at: number, mediaClass: "camera" | "screen"): Step {
  return new CheckedStep(`broadcast(${at}, ${mediaClass})`, ({ world }) => {
    const session = nth(world.sessions.values(), at);
    if (session && session.broadcastIds.length === 0)
      world.broadcast(session, mediaClass);
  });
}

/** Asks again for everything that a session was refused or never had. */
function watchAll(at: number): Step {
  return new CheckedStep(`watchAll(${at})`, ({ world }) => {
    const session = nth(world.sessions.values(), at);
    if (!session) return;
    const wanted = [...session.room.broadcasts.keys()].filter(
      (id) => !session.views.has(id) && !session.broadcastIds.includes(id),
    );
    const before = snapshotOf(world.picture);
    const servable = wanted.filter((id) => hasUsableSeat(world.picture, session, id));
    const request = {
      roomId: session.room.id,
      sessionId: session.id,
      sessionWorkers: new Set(session.views.values()),
      broadcastIds: wanted,
    };
    const first = placeViews(request, world.picture);
    const second = placeViews(request, world.picture);
    if (JSON.stringify(first) !== JSON.stringify(second)) {
      throw new Error("The same request on the same picture got two answers.");
    }
    if (JSON.stringify(snapshotOf(world.picture)) !== JSON.stringify(before)) {
      throw new Error("Deciding changed the picture.");
    }
    const single = servable.find(
      (id) =>
        placeViews({ ...request, broadcastIds: [id] }, world.picture).refused.length > 0,
    );
    if (single) throw new Error(`${single} was refused though a free seat was open.`);
    world.watch(session, wanted);
  });
}

/** Whether the room has a free seat of a broadcast that could serve by itself. */
function hasUsableSeat(
  picture: Picture,
  session: SimSession,
  broadcastId: string,
): boolean {
  return picture.slotsOf(broadcastId).some((slot) => {
    const worker = picture.workers.get(slot.workerId);
    const node = worker && picture.nodes.get(worker.nodeId);
    if (!worker || !node || slot.roomId !== session.room.id) return false;
    const seats = slot.points * picture.seatsOf(worker.mediaClass) - slot.viewers;
    const { view } = picture.settings.nominalKbps[worker.mediaClass];
    const hasEgress = node.egressKbps - node.egressUsedKbps >= view;
    return seats > 0 && hasEgress && picture.isOpen(worker);
  });
}

function toggleWorker(at: number): Step {
  return new CheckedStep(`toggleWorker(${at})`, ({ world }) => {
    const worker = nth(world.picture.workers.values(), at);
    if (worker) world.picture.putWorker({ ...worker, open: !worker.open });
  });
}

function toggleNode(at: number): Step {
  return new CheckedStep(`toggleNode(${at})`, ({ world }) => {
    const node = nth(world.picture.nodes.values(), at);
    if (node) world.picture.putNode({ ...node, open: !node.open });
  });
}

/** Reserves a tier for a room, moves its reservation to another, or gives it back. */
function reserve(roomAt: number, tier: number): Step {
  return new CheckedStep(`reserve(room ${roomAt}, tier ${tier})`, ({ world }) => {
    const roomId = `room${roomAt}`;
    const plan = planReservation({ roomId, tier }, world.picture);
    if (isReservationRefused(plan)) return;
    // What is given back goes first, as it would in one commit.
    const workers = [...plan.workers].sort(
      (a, b) => a.points - a.before - (b.points - b.before),
    );
    for (const { workerId, points } of workers) {
      world.picture.setReservation({ roomId, workerId, points });
    }
    for (const { workerId } of plan.producers) world.picture.dedicate(workerId, roomId);
  });
}

const index = fc.nat({ max: 40 });

const roomAt = fc.nat({ max: 3 });
const crowd = fc
  .tuple(
    roomAt,
    fc.constantFrom(1, 2, 4),
    fc.integer({ min: 1, max: 9 }),
    fc.nat({ max: 5 }),
  )
  .map((args) => join(...args));
const leaving = index.map((at) => leave(at));

/** Random steps; those named twice come twice as often. */
export const steps = [
  crowd,
  crowd,
  leaving,
  leaving,
  leaving,
  index.map((at) => broadcast(at, "camera")),
  index.map((at) => broadcast(at, "screen")),
  index.map((at) => watchAll(at)),
  index.map((at) => toggleWorker(at)),
  index.map((at) => toggleNode(at)),
  fc.tuple(roomAt, fc.constantFrom(0, 1, 2)).map(([room, tier]) => reserve(room, tier)),
];

export function newReal(picture: Picture): Real {
  return { world: new World(picture, newPolicy("slot-packing")), made: 0 };
}
