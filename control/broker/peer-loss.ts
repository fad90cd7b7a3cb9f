import { nodeIdOfWorker } from "#schema/ids.ts";
import type { Draft } from "./draft.ts";
import { noteFailure } from "./failing.ts";
import { refreshNode } from "./node-state.ts";

/*
 * Hosts that have pipes with each other notice when one brings nothing any more,
 * though it answers control. One alone may be the one that is cut off, so that
 * several have to say so, and most of those who could.
 */

/** A node tells that nothing comes from a peer: the peer may be suspect for it. */
export function noteDryPeer(draft: Draft, peerId: string, nodeId: string): void {
  const { state, nowMs } = draft;
  const told = state.dryPeers.get(peerId) ?? new Map<string, number>();
  state.dryPeers.set(peerId, told.set(nodeId, nowMs));
  const row = state.nodes.get(peerId);
  if (row?.state !== "ready" || !isDry(draft, peerId) || !mayBeSuspect(draft)) return;
  row.state = "suspect";
  noteFailure(draft, row, "its peers get nothing from it");
  refreshNode(draft, peerId);
}

/** Whether enough of a node's peers told lately that nothing comes from it. */
export function isDry(draft: Draft, nodeId: string): boolean {
  const { state, nowMs, settings } = draft;
  const { dryPeers, dryShare, lossWithinMs } = settings.failing;
  const told = state.dryPeers.get(nodeId) ?? new Map<string, number>();
  for (const [by, atMs] of told) if (nowMs - atMs > lossWithinMs) told.delete(by);
  if (told.size < dryPeers) return false;
  const peers = new Set<string>();
  for (const { producerWorkerId, consumerWorkerId, state: is } of state.picture.pipes()) {
    if (is !== "open") continue;
    const ends = [producerWorkerId, consumerWorkerId].map(nodeIdOfWorker);
    if (ends.includes(nodeId)) for (const end of ends) if (end !== nodeId) peers.add(end);
  }
  return told.size >= dryShare * peers.size;
}

/**
 * Whether one more host may be suspect for what its peers say. Where a network falls
 * apart all accuse each other, and a zone in which nothing takes work is worse.
 */
function mayBeSuspect({ state, settings }: Draft): boolean {
  const { pauseFromShare } = settings.failing;
  const living = [...state.nodes.values()].filter((row) => row.state !== "gone");
  const suspect = living.filter((row) => row.state === "suspect").length;
  return suspect === 0 || (suspect + 1) / living.length <= pauseFromShare;
}
