import type { ViewPlacement } from "#control/placement/decision.ts";
import { Picture } from "#control/placement/picture.ts";
import type { MediaClass, SettingsInput, WorkerRole } from "#schema/settings.ts";
import { readSettings } from "#schema/settings.ts";
import { newWorker } from "#test/sim/fleet.ts";

/** One worker of a table: what it is called says on which node it is. */
export interface WorkerRow {
  /** `<node>.<name>`, for example `a.1`. */
  id: string;
  role?: WorkerRole;
  media?: MediaClass;
  open?: boolean;
  /** Points that somebody else's room holds there. */
  taken?: number;
  legs?: number;
}

/** Budgets of a node in views of a camera; ample where it has no row. */
export interface NodeRow {
  egressKbps?: number;
  ingressKbps?: number;
  open?: boolean;
}

const ampleKbps = 100_000_000;

/** A picture from a table of workers; nodes come with them. */
export function pictureOf(
  workers: readonly WorkerRow[],
  nodes: Readonly<Record<string, NodeRow>> = {},
  settings: SettingsInput = {},
): Picture {
  const picture = new Picture(readSettings(settings));
  for (const row of workers) {
    const nodeId = row.id.split(".")[0] ?? "";
    const node = nodes[nodeId];
    if (!picture.nodes.has(nodeId)) {
      picture.putNode({
        id: nodeId,
        open: node?.open ?? true,
        egressKbps: node?.egressKbps ?? ampleKbps,
        egressUsedKbps: 0,
        ingressKbps: node?.ingressKbps ?? ampleKbps,
        ingressUsedKbps: 0,
      });
    }
    const role = row.role ?? "consumer";
    const worker = newWorker(
      picture.settings,
      row.id,
      nodeId,
      role,
      row.media ?? "camera",
    );
    worker.open = row.open ?? true;
    if (row.legs !== undefined) worker.legsTotal = row.legs;
    picture.putWorker(worker);
    if (row.taken) {
      picture.setReservation({
        roomId: "elsewhere",
        workerId: row.id,
        points: row.taken,
      });
    }
  }
  return picture;
}

/** Makes broadcasts live on a producer worker. */
export function goLive(
  picture: Picture,
  producerWorkerId: string,
  ids: readonly string[],
  mediaClass: MediaClass = "camera",
): void {
  for (const id of ids) {
    picture.addBroadcast({ id, homeRoomId: "room", producerWorkerId, mediaClass });
  }
}

/** Seats viewers of a broadcast on a worker, with the pipe that they need. */
export function seat(
  picture: Picture,
  broadcastId: string,
  workerId: string,
  viewers: number,
  roomId = "room",
): void {
  const producerWorkerId = picture.broadcasts.get(broadcastId)?.producerWorkerId ?? "";
  if (!picture.pipe(broadcastId, workerId)) {
    picture.putPipe({
      broadcastId,
      producerWorkerId,
      consumerWorkerId: workerId,
      state: "open",
      generation: 1,
      legs: 2,
    });
  }
  picture.changeSeats(roomId, broadcastId, workerId, viewers);
}

/** A request of a new session of `room`. */
export function want(broadcastIds: readonly string[], sessionWorkers: string[] = []) {
  return {
    roomId: "room",
    sessionId: "session",
    sessionWorkers: new Set(sessionWorkers),
    broadcastIds,
  };
}

/** Everything that a picture says of itself, for comparing before and after. */
export function snapshotOf(picture: Picture): unknown {
  return structuredClone({
    nodes: [...picture.nodes],
    workers: [...picture.workers],
    broadcasts: [...picture.broadcasts],
    slots: [...picture.slots()],
    pipes: [...picture.pipes()],
    reservations: [...picture.reservations()],
    levels: (["camera", "screen"] as const).map((media) =>
      picture.freeLevels(media).map((free) => [...picture.workersWithFree(media, free)]),
    ),
  });
}

/** broadcast -> worker and rule of everything placed. */
export function byBroadcast(answer: ViewPlacement) {
  return Object.fromEntries(
    answer.placed.map((view) => [view.broadcastId, `${view.workerId} ${view.rule}`]),
  );
}

/** The codes of everything refused, in the order asked. */
export function codes(answer: ViewPlacement) {
  return answer.refused.map((view) => view.code);
}
