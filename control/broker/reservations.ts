import {
  isReservationRefused,
  planReservation,
  type ReservationPlan,
  type ReservationRefusal,
} from "../placement/reserve.ts";
import { capRefusal } from "./account-caps.ts";
import type { Refusal } from "./decision.ts";
import type { Draft } from "./draft.ts";
import type { RoomState } from "./state.ts";

/**
 * Grants a room the whole weight of a tier, or moves what it has to another
 * tier, worker by worker and in one go; a refusal changes nothing.
 * @param restores whether it was granted before: then no cap is in the way
 */
export function reserveTier(
  draft: Draft,
  room: RoomState,
  tier: number,
  restores = false,
): Refusal | undefined {
  const roomId = room.row.id;
  const plan = planReservation({ roomId, tier }, draft.state.picture);
  if (isReservationRefused(plan)) return refused(tier, plan);
  const screens = (draft.settings.tiers[tier]?.broadcasts ?? 0) > 0;
  if (screens && !holdsScreen(draft, roomId) && freeScreenPlaces(draft) < 1) {
    return {
      refusal: "reservation-refused",
      detail: `Tier ${tier} also needs a producer place for a screen.`,
      retryAfter: 30,
    };
  }
  const grown = plan.workers.reduce((sum, one) => sum + one.points - one.before, 0);
  const { accountId } = room.row;
  const over =
    grown > 0 && !restores && capRefusal(draft, accountId, "reservedPoints", grown);
  if (over) return over;
  apply(draft, room, plan);
  if (screens) draft.state.reservedRooms.add(roomId);
  else draft.state.reservedRooms.delete(roomId);
  return undefined;
}

/** Gives a room's reservation back; what is in use stays until its views end. */
export function giveBackReservation(draft: Draft, room: RoomState): void {
  const roomId = room.row.id;
  const { picture, reservedRooms } = draft.state;
  for (const workerId of [...picture.reservedPoints(roomId).keys()]) {
    draft.setReservation(room, workerId, 0);
  }
  reservedRooms.delete(roomId);
  for (const workerId of [...picture.producersOf(roomId)]) {
    freeProducer(draft, workerId);
  }
}

/**
 * Producer places for screens that nobody has a claim on: every reserved room
 * without a screen has a claim on one.
 */
export function freeScreenPlaces(draft: Draft): number {
  const { picture, reservedRooms } = draft.state;
  let free = 0;
  for (const worker of picture.workers.values()) {
    if (worker.role !== "producer" || worker.mediaClass !== "screen") continue;
    if (picture.isOpen(worker)) free += worker.broadcastsTotal - worker.broadcastsUsed;
  }
  for (const roomId of reservedRooms) if (!showsScreen(draft, roomId)) free -= 1;
  return free;
}

/** Whether one of the free producer places for screens is this room's to take. */
export function holdsScreen(draft: Draft, roomId: string): boolean {
  return draft.state.reservedRooms.has(roomId) && !showsScreen(draft, roomId);
}

function showsScreen(draft: Draft, roomId: string): boolean {
  return draft.state.picture.screensOf(roomId) > 0;
}

/** Makes a producer worker everyone's again once nothing is on it. */
export function freeProducer(draft: Draft, workerId: string): void {
  const worker = draft.state.picture.workers.get(workerId);
  if (!worker?.dedicatedTo || worker.broadcastsUsed > 0) return;
  draft.state.picture.dedicate(workerId, undefined);
  draft.touchWorker(workerId);
}

/** A room without broadcasts keeps no producer worker, unless it has reserved it. */
export function freeIdleProducer(draft: Draft, roomId: string, workerId: string): void {
  const worker = draft.state.picture.workers.get(workerId);
  if (worker?.dedicatedTo !== roomId) return;
  if (!draft.state.reservedRooms.has(roomId)) freeProducer(draft, workerId);
}

function apply(draft: Draft, room: RoomState, plan: ReservationPlan): void {
  // What is given back goes first: the same worker may be taken from again.
  const byChange = plan.workers.toSorted(
    (a, b) => a.points - a.before - (b.points - b.before),
  );
  for (const { workerId, points, before } of byChange) {
    if (points !== before) draft.setReservation(room, workerId, points);
  }
  for (const { workerId, dedicates } of plan.producers) {
    if (!dedicates) continue;
    draft.state.picture.dedicate(workerId, room.row.id);
    draft.touchWorker(workerId);
  }
  for (const workerId of plan.surplusProducers) freeProducer(draft, workerId);
}

function refused(tier: number, { missing }: ReservationRefusal): Refusal {
  const parts = [
    missing.cameraPoints > 0 ? `${missing.cameraPoints} camera points` : "",
    missing.screenPoints > 0 ? `${missing.screenPoints} screen points` : "",
    missing.producerWorkers > 0
      ? `${missing.producerWorkers} unused producer workers`
      : "",
  ].filter((part) => part !== "");
  return {
    refusal: "reservation-refused",
    detail: `For the whole of tier ${tier} the zone lacks ${parts.join(", ")}.`,
    retryAfter: 30,
  };
}
