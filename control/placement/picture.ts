import { addTo, addToSet, dropFromSet } from "./picture-maps.ts";
import type { BroadcastPicture, PipePicture, SlotPicture } from "./picture-rows.ts";
import { RoomPicture } from "./room-picture.ts";
import { nominalKbps, pointsOf } from "./weight.ts";

/**
 * A zone's capacity in memory: what placement decides on. It holds no more than
 * the database does, keeps every total equal to the sum of its rows, and has an
 * index for each question that placement asks, so that no question costs a walk
 * over the fleet. It never refuses: the policy asks before it changes anything.
 */
export class Picture extends RoomPicture {
  readonly broadcasts = new Map<string, BroadcastPicture>();
  readonly #slotsByBroadcast = new Map<string, SlotPicture[]>();
  readonly #slotsByWorker = new Map<string, Set<SlotPicture>>();
  readonly #pipesByBroadcast = new Map<string, PipePicture[]>();
  readonly #screensByRoom = new Map<string, number>();

  addBroadcast(broadcast: BroadcastPicture): void {
    this.broadcasts.set(broadcast.id, broadcast);
    this.#chargeBroadcast(broadcast, 1);
    this.#countScreen(broadcast, 1);
  }

  dropBroadcast(broadcastId: string): void {
    const broadcast = this.broadcasts.get(broadcastId);
    if (!broadcast) return;
    this.broadcasts.delete(broadcastId);
    this.#chargeBroadcast(broadcast, -1);
    this.#countScreen(broadcast, -1);
  }

  /** Gives a broadcast other places: where it is produced, and a second one. */
  placeBroadcast(
    broadcastId: string,
    producerWorkerId: string,
    otherWorkerId: string | undefined,
  ): void {
    const broadcast = this.broadcasts.get(broadcastId);
    if (!broadcast) return;
    this.#chargeBroadcast(broadcast, -1);
    broadcast.producerWorkerId = producerWorkerId;
    broadcast.otherWorkerId = otherWorkerId;
    this.#chargeBroadcast(broadcast, 1);
  }

  /** Screens that a room shows of its own. */
  screensOf(roomId: string): number {
    return this.#screensByRoom.get(roomId) ?? 0;
  }

  pipesOf(broadcastId: string): readonly PipePicture[] {
    return this.#pipesByBroadcast.get(broadcastId) ?? noPipes;
  }

  pipe(broadcastId: string, workerId: string): PipePicture | undefined {
    return this.pipesOf(broadcastId).find((pipe) => pipe.consumerWorkerId === workerId);
  }

  /** Every pipe of the zone, for the fleet view. */
  *pipes(): Iterable<PipePicture> {
    for (const pipes of this.#pipesByBroadcast.values()) yield* pipes;
  }

  putPipe(pipe: PipePicture): void {
    this.dropPipe(pipe.broadcastId, pipe.consumerWorkerId);
    const pipes = this.#pipesByBroadcast.get(pipe.broadcastId);
    if (pipes) pipes.push(pipe);
    else this.#pipesByBroadcast.set(pipe.broadcastId, [pipe]);
    this.#chargePipe(pipe, 1);
  }

  dropPipe(broadcastId: string, workerId: string): void {
    const pipes = this.#pipesByBroadcast.get(broadcastId);
    const at = pipes?.findIndex((pipe) => pipe.consumerWorkerId === workerId) ?? -1;
    if (!pipes || at < 0) return;
    const [pipe] = pipes.splice(at, 1);
    if (pipe) this.#chargePipe(pipe, -1);
    if (pipes.length === 0) this.#pipesByBroadcast.delete(broadcastId);
  }

  slotsOf(broadcastId: string): readonly SlotPicture[] {
    return this.#slotsByBroadcast.get(broadcastId) ?? noSlots;
  }

  slotsOn(workerId: string): ReadonlySet<SlotPicture> {
    return this.#slotsByWorker.get(workerId) ?? noSlotSet;
  }

  slot(roomId: string, broadcastId: string, workerId: string): SlotPicture | undefined {
    return this.slotsOf(broadcastId).find(
      (slot) => slot.workerId === workerId && slot.roomId === roomId,
    );
  }

  /** Every slot of the zone. */
  *slots(): Iterable<SlotPicture> {
    for (const slots of this.#slotsByBroadcast.values()) yield* slots;
  }

  /** Adds `views` (negative: takes away) to a slot, making or ending it as needed. */
  changeSeats(
    roomId: string,
    broadcastId: string,
    workerId: string,
    views: number,
  ): SlotPicture | undefined {
    const worker = this.workers.get(workerId);
    if (!worker) return undefined;
    let slot = this.slot(roomId, broadcastId, workerId);
    if (!slot) {
      slot = { roomId, broadcastId, workerId, viewers: 0, points: 0 };
      addTo(this.#slotsByBroadcast, broadcastId, slot);
      addToSet(this.#slotsByWorker, workerId, slot);
    }
    const points = pointsOf(slot.viewers + views, this.seatsOf(worker.mediaClass));
    this.changeRoomPoints(roomId, worker, points - slot.points);
    slot.viewers += views;
    slot.points = points;
    this.changeRoomViews(roomId, worker, views);
    if (slot.viewers <= 0) this.#forgetSlot(slot);
    return slot;
  }

  #forgetSlot(slot: SlotPicture): void {
    const slots = this.#slotsByBroadcast.get(slot.broadcastId) ?? [];
    const rest = slots.filter((other) => other !== slot);
    if (rest.length > 0) this.#slotsByBroadcast.set(slot.broadcastId, rest);
    else this.#slotsByBroadcast.delete(slot.broadcastId);
    dropFromSet(this.#slotsByWorker, slot.workerId, slot);
  }

  #countScreen({ mediaClass, homeRoomId }: BroadcastPicture, sign: 1 | -1): void {
    if (mediaClass !== "screen") return;
    const screens = this.screensOf(homeRoomId) + sign;
    if (screens > 0) this.#screensByRoom.set(homeRoomId, screens);
    else this.#screensByRoom.delete(homeRoomId);
  }

  #chargeBroadcast(broadcast: BroadcastPicture, sign: 1 | -1): void {
    const { leg } = nominalKbps(this.settings, broadcast.mediaClass);
    for (const id of [broadcast.producerWorkerId, broadcast.otherWorkerId]) {
      const worker = this.workers.get(id ?? "");
      if (!worker) continue;
      this.changeBroadcastsUsed(worker, sign);
      this.chargeNode(worker.nodeId, 0, sign * leg);
    }
  }

  /** A pipe within one host touches no network; between hosts it is charged twice. */
  #chargePipe(pipe: PipePicture, sign: 1 | -1): void {
    const consumer = this.workers.get(pipe.consumerWorkerId);
    for (const id of [pipe.producerWorkerId, pipe.oldProducerWorkerId]) {
      const producer = this.workers.get(id ?? "");
      if (producer) producer.legsUsed += sign * pipe.legs;
      if (!producer || !consumer || producer.nodeId === consumer.nodeId) continue;
      const kbps = sign * nominalKbps(this.settings, consumer.mediaClass).leg;
      this.chargeNode(producer.nodeId, kbps, 0);
      this.chargeNode(consumer.nodeId, 0, kbps);
    }
  }
}

const noPipes: readonly PipePicture[] = [];
const noSlots: readonly SlotPicture[] = [];
const noSlotSet: ReadonlySet<SlotPicture> = new Set();
