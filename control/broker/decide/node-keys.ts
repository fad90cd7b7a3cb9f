import type { HostDescription } from "#schema/agent/control.ts";
import type { Decision, Refusal } from "../decision.ts";
import { refreshNode } from "../node-state.ts";
import type { NodeRow } from "../state.ts";

/** A description whose signature was checked, and by what. */
export interface Registering extends HostDescription {
  zone: string;
  publicKey: string;
  /** The node's epoch when its challenge was given. */
  challengeEpoch: number;
}

/** Only the key that a node is bound to brings it back, and a challenge only once. */
export function keyRefusal(
  before: NodeRow | undefined,
  { publicKey, challengeEpoch }: Registering,
): Refusal | undefined {
  if (challengeEpoch !== (before?.epoch ?? 0)) {
    const detail = "The node has registered since the challenge was given: take another.";
    return { refusal: "challenge-refused", detail };
  }
  if (!before?.publicKey || before.publicKey === publicKey) return undefined;
  return {
    refusal: "node-key-mismatch",
    detail: `${before.id} is bound to another host's key. If this host was installed anew, the operator lets go of the old key: DELETE /v1/nodes/${before.id}/key.`,
  };
}

/** A node's present epoch, 0 before its first registration. */
export const readNodeEpoch: Decision<{ nodeId: string }, { epoch: number }> = {
  rooms: () => [],
  decide: ({ state }, { nodeId }) => ({ epoch: state.nodes.get(nodeId)?.epoch ?? 0 }),
};

/** Lets the next host that registers under this name bind its key to it. */
export const forgetNodeKey: Decision<{ nodeId: string }, { nodeId: string }> = {
  rooms: () => [],
  decide(draft, { nodeId }) {
    const row = draft.state.nodes.get(nodeId);
    if (!row) return { refusal: "not-found" };
    row.publicKey = null;
    refreshNode(draft, nodeId);
    return { nodeId };
  },
};
