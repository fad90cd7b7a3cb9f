import type { RegisterRequest } from "#schema/agent/control.ts";
import { nodeIdOf, workerIdOf } from "#schema/ids.ts";
import type { Settings } from "#schema/settings.ts";
import { closePipe, endBroadcast, releaseView } from "../claims.ts";
import { type Decision, type Refusal, roomsBeside } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { closedReasonOf, type NodeRow, type ZoneState } from "../state.ts";
import { emitLost } from "./views.ts";

export interface Registered {
  nodeId: string;
  epoch: number;
  outboxSeq: number;
}

/**
 * Takes a node in, or in again: a new epoch, in which nothing holds that was
 * claimed on the workers' earlier lives.
 */
export const registerNode: Decision<RegisterRequest & { zone: string }, Registered> = {
  rooms: ({ zone, name }, state) => roomsOnNode(nodeIdOf(zone, name), state),
  decide(draft, input) {
    const { state } = draft;
    const nodeId = nodeIdOf(input.zone, input.name);
    if (state.codecs && state.codecs.hash !== input.codecsHash) {
      return {
        refusal: "codec-mismatch",
        detail: "The agent's mediaCodecs are not the zone's: run the same agent version.",
      };
    }
    if (!state.codecs) {
      const { codecsHash, routerRtpCapabilities } = input;
      state.codecs = { hash: codecsHash, routerRtpCapabilities };
      draft.changes.codecs = state.codecs;
    }
    const before = state.nodes.get(nodeId);
    if (before) clearNode(draft, nodeId, "its host started anew");
    const row = nodeRow(nodeId, input, before);
    state.nodes.set(nodeId, row);
    // What was said in the old epoch is moot: nobody will acknowledge it.
    draft.changes.acknowledged.set(nodeId, row.outboxSeq);
    draft.instructions.delete(nodeId);
    refreshNode(draft, nodeId);
    putWorkers(draft, nodeId, input);
    draft.touchNode(nodeId);
    return { nodeId, epoch: row.epoch, outboxSeq: row.outboxSeq };
  },
};

/** A node has not been heard: it takes nothing new, or has lost its claims. */
export const nodeSilent: Decision<
  { nodeId: string; epoch: number; state: "suspect" | "gone" },
  Record<string, never>
> = {
  rooms: ({ nodeId, state: wanted }, state) =>
    wanted === "gone" ? roomsOnNode(nodeId, state) : [],
  decide(draft, { nodeId, epoch, state: wanted }) {
    const row = draft.state.nodes.get(nodeId);
    if (row?.epoch !== epoch || row.state === wanted || row.state === "gone") return {};
    row.state = wanted;
    if (wanted === "gone") clearNode(draft, nodeId, "its host does not answer");
    refreshNode(draft, nodeId);
    return {};
  },
};

/** A node was heard: its load, and how much the ledger still has there. */
export const nodeHeard: Decision<
  {
    nodeId: string;
    epoch: number;
    draining: boolean;
    workers: { workerId: string; incarnation: string; cpuPercent: number }[];
  },
  { claims: number }
> = {
  rooms: () => [],
  decide(draft, { nodeId, epoch, draining, workers }) {
    const { state } = draft;
    const row = state.nodes.get(nodeId);
    if (row?.epoch !== epoch || row.state === "gone") return { refusal: "node-fenced" };
    if (row.state === "suspect" || row.draining !== draining) {
      row.state = "ready";
      row.draining = draining;
      refreshNode(draft, nodeId);
    }
    let claims = 0;
    for (const { workerId, cpuPercent } of workers) {
      state.cpuPercent.set(workerId, cpuPercent);
      const worker = state.picture.workers.get(workerId);
      if (!worker) continue;
      claims += worker.broadcastsUsed;
      for (const slot of state.picture.slotsOn(workerId)) claims += slot.viewers;
    }
    return { claims };
  },
};

/** A mediasoup worker died; another has taken its place, with nothing on it. */
export const workerDied: Decision<
  {
    nodeId: string;
    epoch: number;
    workerId: string;
    incarnation: string;
    replacedBy: string;
  },
  Record<string, never>
> = {
  rooms: ({ workerId }, state) => roomsOnWorker(workerId, state),
  decide(
    draft,
    { nodeId, epoch, workerId, incarnation, replacedBy },
  ): Refusal | Record<string, never> {
    const worker = draft.state.picture.workers.get(workerId);
    if (draft.state.nodes.get(nodeId)?.epoch !== epoch) return { refusal: "node-fenced" };
    if (worker?.nodeId !== nodeId || worker.incarnation !== incarnation) return {};
    clearWorker(draft, workerId, "its media worker died");
    draft.state.picture.putWorker({ ...worker, incarnation: replacedBy });
    draft.touchWorker(workerId);
    return {};
  },
};

/** A node has applied its instructions up to `seq`: their rows may go. */
export const acknowledge: Decision<
  { nodeId: string; seq: number },
  Record<string, never>
> = {
  rooms: () => [],
  decide(draft, { nodeId, seq }) {
    draft.changes.acknowledged.set(nodeId, seq);
    return {};
  },
};

/** Stops or allows new work on a node; what is there stays. */
export const cordonNode: Decision<
  { nodeId: string; cordoned: boolean },
  { nodeId: string }
> = {
  rooms: () => [],
  decide(draft, { nodeId, cordoned }) {
    const row = draft.state.nodes.get(nodeId);
    if (!row) return { refusal: "not-found" };
    row.cordoned = cordoned;
    refreshNode(draft, nodeId);
    return { nodeId };
  },
};

function nodeRow(
  nodeId: string,
  input: RegisterRequest,
  before: NodeRow | undefined,
): NodeRow {
  return {
    id: nodeId,
    epoch: (before?.epoch ?? 0) + 1,
    state: "ready",
    cordoned: before?.cordoned ?? false,
    draining: false,
    agentVersion: input.agentVersion,
    egressKbps: input.egressKbps,
    egressUsedKbps: 0,
    ingressKbps: input.ingressKbps,
    ingressUsedKbps: 0,
    outboxSeq: before?.outboxSeq ?? 0,
  };
}

/** Carries a node's row over into the picture that placement decides on. */
function refreshNode(draft: Draft, nodeId: string): void {
  const row = draft.state.nodes.get(nodeId);
  if (!row) return;
  const before = draft.state.picture.nodes.get(nodeId);
  const closedReason = closedReasonOf(row);
  draft.state.picture.putNode({
    id: nodeId,
    open: closedReason === undefined,
    closedReason,
    egressKbps: row.egressKbps,
    egressUsedKbps: before?.egressUsedKbps ?? 0,
    ingressKbps: row.ingressKbps,
    ingressUsedKbps: before?.ingressUsedKbps ?? 0,
  });
  draft.touchNode(nodeId);
}

function putWorkers(draft: Draft, nodeId: string, input: RegisterRequest): void {
  const { picture } = draft.state;
  const { weight }: Settings = draft.settings;
  const declared = new Set<string>();
  for (const { ordinal, incarnation, role, mediaClass, points } of input.workers) {
    const id = workerIdOf(nodeId, ordinal);
    declared.add(id);
    const consumes = role === "consumer";
    picture.putWorker({
      id,
      nodeId,
      role,
      mediaClass,
      incarnation,
      open: true,
      pointsTotal: consumes ? (points ?? weight.pointsPerWorker) : 0,
      pointsUsed: 0,
      broadcastsTotal: consumes ? 0 : weight.broadcastsPerProducerWorker,
      broadcastsUsed: 0,
      legsTotal: consumes ? 0 : weight.legsPerProducerWorker,
      legsUsed: 0,
    });
    draft.touchWorker(id);
  }
  for (const worker of [...picture.workers.values()]) {
    if (worker.nodeId !== nodeId || declared.has(worker.id)) continue;
    picture.putWorker({ ...worker, open: false, closedReason: "absent" });
    draft.touchWorker(worker.id);
  }
}

function clearNode(draft: Draft, nodeId: string, reason: string): void {
  for (const worker of [...draft.state.picture.workers.values()]) {
    if (worker.nodeId === nodeId) clearWorker(draft, worker.id, reason);
  }
}

/** Ends what a worker's life carried; viewers hear that they may watch again. */
function clearWorker(draft: Draft, workerId: string, reason: string): void {
  const { state } = draft;
  for (const broadcast of [...state.broadcasts.values()]) {
    if (broadcast.row.workerId === workerId) endBroadcast(draft, broadcast);
  }
  for (const slot of [...state.picture.slotsOn(workerId)]) {
    const room = state.rooms.get(slot.roomId);
    if (!room) throw new Error(`Room ${slot.roomId} is not loaded.`);
    for (const view of state.viewsOf(slot.roomId, slot.broadcastId)) {
      if (view.workerId !== workerId) continue;
      draft.clearDeadline("view-claim", view.transportId);
      releaseView(draft, room, view, false);
      emitLost(draft, room, view, reason);
    }
  }
  // The legs' far ends are gone: nothing is left to linger for.
  for (const pipe of [...state.picture.pipes()]) {
    if (pipe.consumerWorkerId === workerId) closePipe(draft, pipe);
  }
}

function roomsOnNode(nodeId: string, state: ZoneState): Set<string> {
  const rooms = new Set<string>();
  for (const worker of state.picture.workers.values()) {
    if (worker.nodeId !== nodeId) continue;
    for (const roomId of roomsOnWorker(worker.id, state)) rooms.add(roomId);
  }
  return rooms;
}

function roomsOnWorker(workerId: string, state: ZoneState): Set<string> {
  const rooms = new Set<string>();
  for (const slot of state.picture.slotsOn(workerId)) rooms.add(slot.roomId);
  for (const broadcast of state.picture.broadcasts.values()) {
    if (broadcast.producerWorkerId !== workerId) continue;
    for (const roomId of roomsBeside(broadcast.homeRoomId, state)) rooms.add(roomId);
  }
  return rooms;
}
