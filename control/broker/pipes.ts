import { nodeIdOfWorker } from "#schema/ids.ts";
import type { PipePicture } from "../placement/picture-rows.ts";
import type { Draft } from "./draft.ts";

/** Closes a pipe on both sides and forgets it. */
export function closePipe(draft: Draft, pipe: PipePicture): void {
  draft.clearDeadline("pipe-linger", pipeKey(pipe.broadcastId, pipe.consumerWorkerId));
  draft.dropPipe(pipe);
  instructClosed(draft, pipe);
  const { oldGeneration, oldProducerWorkerId } = pipe;
  if (oldGeneration === undefined || !oldProducerWorkerId) return;
  instructClosed(draft, {
    ...pipe,
    producerWorkerId: oldProducerWorkerId,
    generation: oldGeneration,
  });
}

/**
 * Tells both ends of a pipe that a generation and all before it are over.
 * @param nodeIds tells only these
 */
export function instructClosed(
  draft: Draft,
  pipe: PipePicture,
  nodeIds = [pipe.producerWorkerId, pipe.consumerWorkerId].map(nodeIdOfWorker),
): void {
  for (const nodeId of new Set(nodeIds)) {
    draft.instruct(nodeId, {
      kind: "pipe",
      broadcastId: pipe.broadcastId,
      producer: draft.workerRef(pipe.producerWorkerId),
      consumer: draft.workerRef(pipe.consumerWorkerId),
      generation: pipe.generation,
      wanted: "closed",
    });
  }
}

/** The name of a pipe in the table of deadlines. */
export function pipeKey(broadcastId: string, workerId: string): string {
  return `${broadcastId} ${workerId}`;
}

/** A view begins: its pipe is there from now on, one that lingered goes on. */
export function ensurePipe(draft: Draft, broadcastId: string, workerId: string): void {
  const { picture } = draft.state;
  const pipe = picture.pipe(broadcastId, workerId);
  if (pipe?.state === "lingering") {
    // One commit takes the point back and ends the linger.
    draft.clearDeadline("pipe-linger", pipeKey(broadcastId, workerId));
    draft.putPipe({ ...pipe, state: "open" });
  }
  if (pipe) return;
  const producerWorkerId = picture.broadcasts.get(broadcastId)?.producerWorkerId;
  if (!producerWorkerId)
    throw new Error(`Broadcast ${broadcastId} has no producer worker.`);
  draft.putPipe({
    broadcastId,
    producerWorkerId,
    consumerWorkerId: workerId,
    state: "opening",
    generation: draft.nextPipeGeneration(),
    legs: draft.settings.weight.legsPerPipe,
  });
}

/** A view has ended: a pipe that nobody watches through is kept for a moment. */
export function lingerIfUnwatched(
  draft: Draft,
  broadcastId: string,
  workerId: string,
): void {
  const { picture } = draft.state;
  const pipe = picture.pipe(broadcastId, workerId);
  const watched = picture
    .slotsOf(broadcastId)
    .some((slot) => slot.workerId === workerId && slot.viewers > 0);
  if (!pipe || watched) return;
  if (pipe.state === "opening") {
    // Nobody can tell whether its legs were made: the next viewer opens anew.
    closePipe(draft, pipe);
    return;
  }
  draft.putPipe({ ...pipe, state: "lingering" });
  const { pipeLingerMs } = draft.settings.timing;
  draft.setDeadline("pipe-linger", pipeKey(broadcastId, workerId), "", pipeLingerMs);
}
