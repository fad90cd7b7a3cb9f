import { isDeepStrictEqual } from "node:util";
import type { RoomState, ZoneState } from "#control/broker/state.ts";
import { loadZone } from "#control/ledger/load.ts";
import { loadRooms } from "#control/ledger/load-rooms.ts";
import { checkPicture } from "#control/placement/invariants.ts";
import { type Zone, zoneName } from "#test/harness/zone.ts";

/**
 * Compares what the running broker knows with what a new one would read. A
 * broker that was just made knows nothing yet, so it is asked for something
 * that makes it read.
 * @returns what differs, a line each; empty where nothing does
 */
export async function checkPictureEqualsDatabase(zone: Zone): Promise<string[]> {
  const wrong: string[] = [];
  const running = zone.committed.at(-1)?.state;
  if (!running) return wrong;
  const fresh = await loadZone(zone.eye, zoneName, zone.settings);
  await loadRooms(zone.eye, fresh, [...running.rooms.keys()], zone.nowMs);
  const compare = (what: string, inMemory: unknown, inDatabase: unknown) => {
    if (isDeepStrictEqual(known(inMemory), known(inDatabase))) return;
    wrong.push(
      `${what}: the broker has ${show(inMemory)}, the database ${show(inDatabase)}`,
    );
  };
  const a = plain(running);
  const b = plain(fresh);
  for (const part of Object.keys(a) as (keyof typeof a)[]) {
    const keys = new Set([...Object.keys(a[part]), ...Object.keys(b[part])]);
    for (const key of keys) compare(`${part} ${key}`, a[part][key], b[part][key]);
  }
  compare("commitSeq", running.commitSeq, fresh.commitSeq);
  compare("pipeGeneration", running.pipeGeneration, fresh.pipeGeneration);
  return [...wrong, ...checkPicture(running.picture)];
}

type Parts = Record<string, unknown>;

/** A state as plain objects, without what only lives in memory. */
function plain(state: ZoneState) {
  const { picture } = state;
  const nodes: Parts = {};
  for (const [id, row] of state.nodes) {
    const { open, closedReason, ...used } = picture.nodes.get(id) ?? {};
    nodes[id] = { ...row, ...used, open, closedReason };
  }
  const workers: Parts = {};
  for (const [id, worker] of picture.workers) {
    workers[id] = { ...worker, dedicatedTo: worker.dedicatedTo ?? null };
  }
  const slots: Parts = {};
  for (const slot of picture.slots()) {
    slots[`${slot.broadcastId} ${slot.workerId} ${slot.roomId}`] = { ...slot };
  }
  const pipes: Parts = {};
  for (const pipe of picture.pipes()) {
    pipes[`${pipe.broadcastId} ${pipe.consumerWorkerId}`] = { ...pipe };
  }
  const rooms: Parts = {};
  for (const [id, room] of state.rooms) rooms[id] = plainRoom(room);
  const broadcasts: Parts = {};
  for (const [id, { row, tracks, rooms: shownIn }] of state.broadcasts) {
    const byId = Object.fromEntries(tracks);
    broadcasts[id] = { row, tracks: byId, rooms: [...shownIn].sort() };
  }
  const reservations: Parts = {};
  for (const { roomId, workerId, points } of picture.reservations()) {
    reservations[`${roomId} ${workerId}`] = points;
  }
  const reservedRooms = Object.fromEntries([...state.reservedRooms].map((id) => [id, 1]));
  // A broker that took over may have put a deadline off, in memory alone.
  const deadlines: Parts = {};
  for (const [id, { roomId }] of state.deadlines) deadlines[id] = { roomId };
  const accounts: Parts = {};
  for (const [id, use] of state.accounts) accounts[id] = { ...use };
  const waiting: Parts = {};
  for (const row of state.waiting) waiting[`${row.sessionId} ${row.broadcastId}`] = row;
  return {
    waiting,
    nodes,
    workers,
    slots,
    pipes,
    reservations,
    reservedRooms,
    rooms,
    broadcasts,
    deadlines,
    accounts,
  };
}

function plainRoom(room: RoomState): Parts {
  const bySession: Parts = {};
  for (const [id, views] of room.viewsBySession) {
    bySession[id] = [...views].map(([key, view]) => [key, view.id]).sort();
  }
  return {
    row: room.row,
    sessions: Object.fromEntries(room.sessions),
    broadcasts: [...room.broadcasts].sort(),
    views: Object.fromEntries(room.views),
    viewsBySession: bySession,
    moves: Object.fromEntries(room.moves),
    bans: [...room.bans].sort(),
    keys: [...room.keys.keys()].sort(),
  };
}

/** A value without the properties that are undefined: absent says the same. */
function known(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
