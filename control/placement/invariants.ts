import type { Picture } from "./picture.ts";
import { nominalKbps, pointsOf } from "./weight.ts";

/**
 * Adds up every row of a picture anew and compares: nothing may be over its
 * mark, and every total has to be the sum of its rows.
 * @returns what is wrong, a sentence each; empty where all holds
 */
export function checkPicture(picture: Picture): string[] {
  const sums = sumRows(picture);
  const wrong: string[] = [];
  const expect = (what: string, total: number, sum: number, most: number) => {
    if (total !== sum) wrong.push(`${what}: counted ${total}, its rows make ${sum}.`);
    if (total > most) wrong.push(`${what}: ${total} is over its mark of ${most}.`);
    if (total < 0) wrong.push(`${what}: ${total} is below zero.`);
  };
  for (const worker of picture.workers.values()) {
    const { id, pointsTotal, broadcastsTotal, legsTotal } = worker;
    expect(`${id} points`, worker.pointsUsed, sums.points.get(id), pointsTotal);
    const broadcasts = sums.broadcasts.get(id);
    expect(`${id} broadcasts`, worker.broadcastsUsed, broadcasts, broadcastsTotal);
    expect(`${id} legs`, worker.legsUsed, sums.legs.get(id), legsTotal);
  }
  for (const node of picture.nodes.values()) {
    const { id, egressKbps, ingressKbps } = node;
    expect(`${id} egress`, node.egressUsedKbps, sums.egress.get(id), egressKbps);
    const kept = node.egressUsedKbps + picture.idleEgressKbps(id);
    if (kept > egressKbps) wrong.push(`${id} egress: ${kept} with what is reserved.`);
    expect(`${id} ingress`, node.ingressUsedKbps, sums.ingress.get(id), ingressKbps);
  }
  return [...wrong, ...checkSlots(picture)];
}

function checkSlots(picture: Picture): string[] {
  const wrong: string[] = [];
  for (const slot of picture.slots()) {
    const worker = picture.workers.get(slot.workerId);
    const what = `The slot of ${slot.broadcastId} in ${slot.roomId} on ${slot.workerId}`;
    if (!worker) wrong.push(`${what} is on a worker that is not there.`);
    if (slot.viewers < 1) wrong.push(`${what} has ${slot.viewers} viewers.`);
    const seats = worker ? picture.seatsOf(worker.mediaClass) : 1;
    if (worker && slot.points !== pointsOf(slot.viewers, seats)) {
      wrong.push(`${what} has ${slot.points} points for ${slot.viewers} viewers.`);
    }
    const media = picture.broadcasts.get(slot.broadcastId)?.mediaClass;
    if (media !== worker?.mediaClass || worker?.role !== "consumer") {
      wrong.push(`${what} is on a worker of another role or class.`);
    }
    const pipe = picture.pipe(slot.broadcastId, slot.workerId);
    if (!pipe || pipe.state === "closing") wrong.push(`${what} has no pipe.`);
  }
  return wrong;
}

/** Numbers that add up under ids; an id that nothing was added to has 0. */
class Sums {
  readonly #sums = new Map<string, number>();

  add(id: string | undefined, by: number): void {
    if (id !== undefined) this.#sums.set(id, this.get(id) + by);
  }

  get(id: string): number {
    return this.#sums.get(id) ?? 0;
  }
}

function sumRows(picture: Picture) {
  const points = new Sums();
  const broadcasts = new Sums();
  const legs = new Sums();
  const egress = new Sums();
  const ingress = new Sums();
  const nodeOf = (workerId: string) => picture.workers.get(workerId)?.nodeId;
  const inUse = new Map<string, { workerId: string; points: number; reserved: number }>();
  const roomOn = (roomId: string, workerId: string) => {
    const key = `${roomId}|${workerId}`;
    const entry = inUse.get(key) ?? { workerId, points: 0, reserved: 0 };
    inUse.set(key, entry);
    return entry;
  };
  for (const slot of picture.slots()) {
    roomOn(slot.roomId, slot.workerId).points += slot.points;
    const media = picture.workers.get(slot.workerId)?.mediaClass ?? "camera";
    egress.add(
      nodeOf(slot.workerId),
      slot.viewers * nominalKbps(picture.settings, media).view,
    );
  }
  for (const { roomId, workerId, points } of picture.reservations()) {
    roomOn(roomId, workerId).reserved += points;
  }
  // A room holds the larger of what it uses and what it has reserved.
  for (const { workerId, points: used, reserved } of inUse.values()) {
    points.add(workerId, Math.max(used, reserved));
  }
  for (const broadcast of picture.broadcasts.values()) {
    const { leg } = nominalKbps(picture.settings, broadcast.mediaClass);
    for (const workerId of [broadcast.producerWorkerId, broadcast.otherWorkerId]) {
      if (!workerId) continue;
      broadcasts.add(workerId, 1);
      ingress.add(nodeOf(workerId), leg);
    }
  }
  for (const pipe of picture.pipes()) {
    const to = nodeOf(pipe.consumerWorkerId);
    const media = picture.workers.get(pipe.consumerWorkerId)?.mediaClass ?? "camera";
    const { leg } = nominalKbps(picture.settings, media);
    for (const workerId of [pipe.producerWorkerId, pipe.oldProducerWorkerId]) {
      if (!workerId) continue;
      legs.add(workerId, pipe.legs);
      const from = nodeOf(workerId);
      if (from === to) continue;
      egress.add(from, leg);
      ingress.add(to, leg);
    }
  }
  return { points, broadcasts, legs, egress, ingress };
}
