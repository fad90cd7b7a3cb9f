import type { HostDescription } from "#schema/agent/control.ts";
import { nodeIdOf, workerIdOf } from "#schema/ids.ts";
import type { Settings } from "#schema/settings.ts";
import { clearNode, resettle, roomsOnNode } from "../clearing.ts";
import type { Decision } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { beginDrain, endDrain } from "../drain.ts";
import { noteFailure, noteWell } from "../failing.ts";
import { refreshNode, watchQuota } from "../node-state.ts";
import type { NodeRow } from "../state.ts";
import { keyRefusal, type Registering } from "./node-keys.ts";

export interface Registered {
  nodeId: string;
  epoch: number;
  outboxSeq: number;
}

/**
 * Takes a node in, or in again: a new epoch, in which nothing holds that was
 * claimed on the workers' earlier lives.
 */
export const registerNode: Decision<Registering, Registered> = {
  rooms: ({ zone, name }, state) => roomsOnNode(nodeIdOf(zone, name), state),
  decide(draft, input) {
    const { state } = draft;
    const nodeId = nodeIdOf(input.zone, input.name);
    const refused = keyRefusal(state.nodes.get(nodeId), input);
    if (refused) return refused;
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
    const reason = "its host started anew";
    const cleared = before && clearNode(draft, nodeId, { reason });
    const row = nodeRow(nodeId, input, before);
    state.nodes.set(nodeId, row);
    state.heardAtMs.set(nodeId, draft.nowMs);
    state.dryPeers.delete(nodeId);
    const left = before?.draining || before?.emptying;
    if (before?.state === "ready" && !left) noteFailure(draft, row, "it started anew");
    else noteWell(draft, row);
    // What was said in the old epoch is moot: nobody will acknowledge it.
    draft.changes.acknowledged.set(nodeId, row.outboxSeq);
    draft.instructions.delete(nodeId);
    refreshNode(draft, nodeId);
    putWorkers(draft, nodeId, input);
    watchQuota(draft, nodeId);
    if (cleared) resettle(draft, cleared);
    return { nodeId, epoch: row.epoch, outboxSeq: row.outboxSeq };
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

/**
 * Empties a node: what is there moves elsewhere, as far as there is room, and what
 * is left at the deadline goes without ceremony. It stays empty until uncordoned.
 * Asked again, it is the newer deadline that holds.
 */
export const drainNode: Decision<
  { nodeId: string; withinMs?: number },
  { nodeId: string; untilMs: number }
> = {
  rooms: () => [],
  decide(draft, { nodeId, withinMs = draft.settings.moves.drainMs }) {
    const row = draft.state.nodes.get(nodeId);
    if (!row) return { refusal: "not-found" };
    row.emptying = true;
    beginDrain(draft, row, withinMs);
    refreshNode(draft, nodeId);
    return { nodeId, untilMs: draft.nowMs + withinMs };
  },
};

/** Stops or allows new work on a node; what is there stays, and a drain ends. */
export const cordonNode: Decision<
  { nodeId: string; cordoned: boolean },
  { nodeId: string }
> = {
  rooms: () => [],
  decide(draft, { nodeId, cordoned }) {
    const row = draft.state.nodes.get(nodeId);
    if (!row) return { refusal: "not-found" };
    row.cordoned = cordoned;
    if (!cordoned && row.emptying) {
      row.emptying = false;
      if (!row.draining) endDrain(draft, row);
    }
    refreshNode(draft, nodeId);
    return { nodeId };
  },
};

function nodeRow(
  nodeId: string,
  input: Registering,
  before: NodeRow | undefined,
): NodeRow {
  return {
    id: nodeId,
    epoch: (before?.epoch ?? 0) + 1,
    publicKey: input.publicKey,
    state: "ready",
    cordoned: before?.cordoned ?? false,
    draining: false,
    emptying: before?.emptying ?? false,
    drainUntilMs: null,
    failure: before?.failure ?? null,
    failedAtMs: before?.failedAtMs ?? 0,
    holds: before?.holds ?? 0,
    heldUntilMs: before?.heldUntilMs ?? null,
    agentVersion: input.agentVersion,
    egressKbps: input.egressKbps,
    egressUsedKbps: 0,
    ingressKbps: input.ingressKbps,
    ingressUsedKbps: 0,
    egressQuotaGb: input.egressQuotaGbPerMonth ?? null,
    sentMonth: before?.sentMonth ?? "",
    sentMb: before?.sentMb ?? 0,
    egressWarned: false,
    quotaWarned: before?.quotaWarned ?? false,
    outboxSeq: before?.outboxSeq ?? 0,
    eventSeq: before?.eventSeq ?? 0,
  };
}

function putWorkers(draft: Draft, nodeId: string, input: HostDescription): void {
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
