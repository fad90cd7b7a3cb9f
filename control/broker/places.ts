import { newTransportId, nodeIdOfWorker } from "#schema/ids.ts";
import type { BroadcastPlacement } from "../placement/decision.ts";
import { placeBroadcast } from "../placement/producer.ts";
import type { Draft } from "./draft.ts";
import { repipe } from "./repipe.ts";
import { freeIdleProducer } from "./reservations.ts";
import type { BroadcastState, RoomRow } from "./state.ts";

/* Where broadcasts are produced: their places at producer workers, one or two. */

/** Where a room's broadcast may be produced. */
export function choosePlace(
  draft: Draft,
  room: RoomRow,
  mediaClass: "camera" | "screen",
  moving: { pipedTo?: string[]; avoid?: ReadonlySet<string> } = {},
): BroadcastPlacement {
  const tier = draft.settings.tiers[room.tier];
  const { secondProducerWorkerFrom } = draft.settings.weight;
  return placeBroadcast(
    {
      roomId: room.id,
      mediaClass,
      dedicated: mediaClass === "camera" && tier?.producer === "dedicated",
      producerWorkersMax: (tier?.broadcasts ?? 0) >= secondProducerWorkerFrom ? 2 : 1,
      ...moving,
    },
    draft.state.picture,
  );
}

/**
 * Finds an interrupted broadcast a place, where it has none that is of use.
 * @returns what is missing, or nothing
 */
export function replace(
  draft: Draft,
  broadcast: BroadcastState,
): Extract<BroadcastPlacement, { code: unknown }> | undefined {
  const { row } = broadcast;
  const { picture, nodes } = draft.state;
  const home = draft.state.loadedRoom(row.homeRoomId);
  const worker = picture.workers.get(row.workerId);
  const fits = worker?.role === "producer" && worker.mediaClass === row.mediaClass;
  let workerId = row.workerId;
  let dedicates = isDedicated(draft, home.row, row.mediaClass) && !worker?.dedicatedTo;
  if (!worker || !fits || !picture.isOpen(worker)) {
    const pipedTo = picture
      .pipesOf(row.id)
      .map((pipe) => nodeIdOfWorker(pipe.consumerWorkerId));
    const avoid = new Set([row.workerId]);
    let place = choosePlace(draft, home.row, row.mediaClass, { pipedTo, avoid });
    if ("code" in place) {
      place = choosePlace(draft, home.row, row.mediaClass, { avoid });
    }
    if ("code" in place) {
      // A host that takes nothing new still has what it had.
      const stays = fits && worker?.open && nodes.get(worker.nodeId)?.state === "ready";
      if (!stays) {
        // What is on its way to the old transport must not count as arrived.
        setPlaces(draft, broadcast, workerId, newTransportId(nodeIdOfWorker(workerId)));
        return place;
      }
    } else ({ workerId, dedicates } = place);
  }
  if (dedicates) {
    picture.dedicate(workerId, home.row.id);
    draft.touchWorker(workerId);
  }
  setPlaces(draft, broadcast, workerId, newTransportId(nodeIdOfWorker(workerId)));
  repipe(draft, broadcast, false);
  return undefined;
}

/** Whether a broadcast's session has no channel on which it could be asked to move. */
export function isCarried(draft: Draft, { row }: BroadcastState): boolean {
  const home = draft.state.rooms.get(row.homeRoomId);
  return (home?.sessions.get(row.sessionId)?.carrier ?? "channel") !== "channel";
}

/** Gives a broadcast its places; a worker that it leaves is everyone's again. */
export function setPlaces(
  draft: Draft,
  { row }: BroadcastState,
  workerId: string,
  transportId: string,
  otherWorkerId?: string,
  otherTransportId?: string,
): void {
  const before = [row.workerId, row.otherWorkerId].filter((id) => id !== null);
  row.workerId = workerId;
  row.transportId = transportId;
  row.otherWorkerId = otherWorkerId ?? null;
  row.otherTransportId = otherTransportId ?? null;
  draft.state.picture.placeBroadcast(row.id, workerId, otherWorkerId);
  draft.changes.broadcasts.put(row);
  for (const id of [workerId, otherWorkerId]) if (id) draft.touchWorker(id);
  for (const id of before) {
    draft.touchWorker(id);
    if (id !== workerId && id !== otherWorkerId) {
      freeIdleProducer(draft, row.homeRoomId, id);
      draft.capacityAppeared();
    }
  }
}

function isDedicated(draft: Draft, room: RoomRow, media: "camera" | "screen"): boolean {
  return media === "camera" && draft.settings.tiers[room.tier]?.producer === "dedicated";
}
