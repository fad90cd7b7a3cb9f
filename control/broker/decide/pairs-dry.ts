import type { DryPair } from "#schema/agent/control.ts";
import type { WorkerRef } from "#schema/agent/instructions.ts";
import { nodeIdOfWorker } from "#schema/ids.ts";
import type { Decision, Refusal } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { noteDryPeer } from "../peer-loss.ts";

/**
 * A node tells that on its pairs with others nothing comes any more. What is said of
 * lives that are over, or of workers between which no pipe is open, counts nothing.
 */
export const pairsDry: Decision<
  { nodeId: string; epoch: number; pairs: DryPair[] },
  Record<string, never>
> = {
  rooms: () => [],
  decide(draft, { nodeId, epoch, pairs }): Refusal | Record<string, never> {
    const row = draft.state.nodes.get(nodeId);
    if (row?.epoch !== epoch || row.state === "gone") return { refusal: "node-fenced" };
    const piped = new Set<string>();
    for (const {
      producerWorkerId,
      consumerWorkerId,
      state,
    } of draft.state.picture.pipes()) {
      if (state !== "open") continue;
      piped.add(`${producerWorkerId} ${consumerWorkerId}`);
      piped.add(`${consumerWorkerId} ${producerWorkerId}`);
    }
    const peers = pairs.flatMap(({ own, peer }) => {
      const isOwn = nodeIdOfWorker(own.workerId) === nodeId;
      const isPiped = piped.has(`${own.workerId} ${peer.workerId}`);
      const live = isOwn && isPiped && lives(draft, own) && lives(draft, peer);
      return live ? [nodeIdOfWorker(peer.workerId)] : [];
    });
    for (const peerId of new Set(peers)) noteDryPeer(draft, peerId, nodeId);
    return {};
  },
};

function lives(draft: Draft, { workerId, incarnation }: WorkerRef): boolean {
  return draft.state.picture.workers.get(workerId)?.incarnation === incarnation;
}
