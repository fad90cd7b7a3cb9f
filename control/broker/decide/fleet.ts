import type {
  Fleet,
  NodeInfo,
  PipeInfo,
  RoomPlacement,
  WorkerInfo,
} from "#schema/api/fleet.ts";
import { zoneOf } from "#schema/ids.ts";
import type { RtpCapabilitiesWire } from "#schema/media.ts";
import type { PipePicture, WorkerPicture } from "../../placement/picture-rows.ts";
import { roomWaste } from "../../placement/waste.ts";
import { freeSeatsOf } from "../../placement/weight.ts";
import { type Decision, roomDecision } from "../decision.ts";
import type { NodeRow, ZoneState } from "../state.ts";

/** The zone's nodes, workers and pipes. */
export const readFleet: Decision<Record<string, never>, Fleet> = {
  rooms: () => [],
  decide({ state }) {
    const { picture } = state;
    const workers = Map.groupBy(picture.workers.values(), (worker) => worker.nodeId);
    const nodes: NodeInfo[] = [...state.nodes.values()].map((row) => {
      const totals = picture.nodes.get(row.id);
      return {
        id: row.id,
        zone: zoneOf(row.id) ?? "",
        state: row.state,
        cordoned: row.cordoned,
        draining: row.draining || row.emptying,
        failure: failureView(row),
        epoch: row.epoch,
        publicKey: row.publicKey ?? undefined,
        heardAt: timeOf(state.heardAtMs.get(row.id)),
        egressKbps: { total: row.egressKbps, used: totals?.egressUsedKbps ?? 0 },
        ingressKbps: { total: row.ingressKbps, used: totals?.ingressUsedKbps ?? 0 },
        workers: (workers.get(row.id) ?? []).map((worker) => workerView(state, worker)),
      };
    });
    return { nodes, pipes: [...picture.pipes()].map(pipeView) };
  },
};

/** Where everything of one room is, and what it wastes. */
export const readPlacement = roomDecision<
  { roomId: string; accountId?: string },
  RoomPlacement
>(({ state }, { roomId, accountId }, room) => {
  if (accountId && room.row.accountId !== accountId) return { refusal: "not-found" };
  const { picture } = state;
  const broadcasts = [...room.broadcasts].flatMap((id) => state.broadcasts.get(id) ?? []);
  const slots = broadcasts.flatMap(({ row }) =>
    picture.slotsOf(row.id).filter((slot) => slot.roomId === roomId),
  );
  const { points, wasted } = roomWaste(picture, roomId);
  const workerIds = new Set([
    ...broadcasts.map(({ row }) => row.workerId),
    ...slots.map((slot) => slot.workerId),
    ...picture.reservedPoints(roomId).keys(),
  ]);
  return {
    roomId,
    workers: [...workerIds]
      .flatMap((id) => picture.workers.get(id) ?? [])
      .map((worker) => workerView(state, worker)),
    slots: slots.map(({ broadcastId, workerId, viewers, points: paid }) => {
      const media = picture.workers.get(workerId)?.mediaClass ?? "camera";
      const freeSeats = freeSeatsOf(viewers, picture.seatsOf(media));
      return { broadcastId, workerId, viewers, points: paid, freeSeats };
    }),
    pipes: broadcasts.flatMap(({ row }) => picture.pipesOf(row.id).map(pipeView)),
    points,
    wastedPoints: wasted,
  };
});

function failureView({ failure, failedAtMs, heldUntilMs }: NodeRow): NodeInfo["failure"] {
  if (failure === null) return undefined;
  const heldUntil = timeOf(heldUntilMs ?? undefined);
  return { reason: failure, at: new Date(failedAtMs).toISOString(), heldUntil };
}

function timeOf(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : new Date(atMs).toISOString();
}

function workerView(state: ZoneState, worker: WorkerPicture): WorkerInfo {
  const { picture } = state;
  const node = picture.nodes.get(worker.nodeId);
  let views = 0;
  for (const slot of picture.slotsOn(worker.id)) views += slot.viewers;
  return {
    id: worker.id,
    nodeId: worker.nodeId,
    role: worker.role,
    mediaClass: worker.mediaClass,
    points: { total: worker.pointsTotal, used: worker.pointsUsed },
    broadcasts: { total: worker.broadcastsTotal, used: worker.broadcastsUsed },
    legs: { total: worker.legsTotal, used: worker.legsUsed },
    views,
    cpuPercent: state.load.get(worker.id)?.cpuPercent ?? 0,
    open: picture.isOpen(worker),
    reason: worker.closedReason ?? node?.closedReason,
  };
}

function pipeView(pipe: PipePicture): PipeInfo {
  const { broadcastId, producerWorkerId, consumerWorkerId, state, generation } = pipe;
  return { broadcastId, producerWorkerId, consumerWorkerId, state, generation };
}

/** The zone's codecs: the first host brings them, and all others have the same. */
export const readCodecs: Decision<
  Record<string, never>,
  { routerRtpCapabilities?: RtpCapabilitiesWire }
> = {
  rooms: () => [],
  decide({ state }) {
    const capabilities = state.codecs?.routerRtpCapabilities;
    return { routerRtpCapabilities: capabilities as RtpCapabilitiesWire | undefined };
  },
};
