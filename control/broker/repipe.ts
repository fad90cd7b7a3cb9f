import { nodeIdOfWorker } from "#schema/ids.ts";
import { Overlay } from "../placement/overlay.ts";
import type { PipePicture } from "../placement/picture-rows.ts";
import type { Draft } from "./draft.ts";
import { closePipe, instructClosed } from "./pipes.ts";
import { loseSeat } from "./rehouse.ts";
import type { BroadcastState, RoomState, ViewRow } from "./state.ts";

/*
 * A broadcast that is sent anew reaches its viewers by pipes of a higher
 * generation. The seats stay; a pipe that links or budgets no longer carry takes
 * its viewers with it, and they look for other seats.
 */

/**
 * Leads a broadcast's pipes to the worker that it is produced on now.
 * @param oldRuns whether what they carried runs on beside it for a while, and is
 *   charged for that long; else only its closing is left to do
 */
export function repipe(draft: Draft, broadcast: BroadcastState, oldRuns: boolean): void {
  const { id: broadcastId, workerId } = broadcast.row;
  const { picture } = draft.state;
  for (const pipe of [...picture.pipesOf(broadcastId)]) {
    if (pipe.state === "lingering") {
      closePipe(draft, pipe);
      continue;
    }
    const { generation: oldGeneration, producerWorkerId } = pipe;
    const next: PipePicture = {
      ...pipe,
      producerWorkerId: workerId,
      state: "opening",
      generation: draft.nextPipeGeneration(),
      oldGeneration,
      oldProducerWorkerId: oldRuns ? producerWorkerId : undefined,
    };
    // Without what it held so far, so that it does not stand in its own way.
    if (!oldRuns) draft.dropPipe(pipe);
    if (!oldRuns) leave(draft, pipe, workerId);
    if (carries(draft, next)) {
      draft.putPipe(next);
      continue;
    }
    if (!oldRuns) draft.putPipe(pipe);
    loseViewers(draft, broadcast, pipe);
    const left = picture.pipe(broadcastId, pipe.consumerWorkerId);
    if (left) closePipe(draft, left);
  }
}

/**
 * A host from which a broadcast's pipe leads no more is told so now: what is said of
 * the pipe later goes to its ends, and it is none of them.
 */
function leave(draft: Draft, pipe: PipePicture, workerId: string): void {
  const nodeId = nodeIdOfWorker(pipe.producerWorkerId);
  const ends = [workerId, pipe.consumerWorkerId].map(nodeIdOfWorker);
  if (!ends.includes(nodeId)) instructClosed(draft, pipe, [nodeId]);
}

/** Closes what a broadcast's pipes carried before, and loses who did not follow. */
export function closeOldPipes(draft: Draft, broadcast: BroadcastState): void {
  const { id: broadcastId } = broadcast.row;
  for (const pipe of [...draft.state.picture.pipesOf(broadcastId)]) {
    const { oldGeneration, oldProducerWorkerId } = pipe;
    if (oldGeneration === undefined) continue;
    const producerWorkerId = oldProducerWorkerId ?? pipe.producerWorkerId;
    const rest = { ...pipe, oldGeneration: undefined, oldProducerWorkerId: undefined };
    draft.putPipe(rest);
    instructClosed(draft, { ...pipe, producerWorkerId, generation: oldGeneration });
    if (rest.state === "opening") loseActive(draft, broadcast, rest);
  }
}

/** Tells everyone who watches a broadcast that it comes anew. */
export function tellRenewed(
  draft: Draft,
  broadcast: BroadcastState,
  oldRunsMs: number,
): void {
  const { id: broadcastId } = broadcast.row;
  for (const [room, view] of viewersOf(draft, broadcast)) {
    if (!view.newest) continue;
    const { id: viewId, sessionId } = view;
    const renewed = { type: "view.renewed", viewId, broadcastId, oldRunsMs } as const;
    draft.emitForSession(room, sessionId, renewed);
  }
}

/** Whether the legs and the bandwidth that a pipe takes are there. */
function carries(draft: Draft, pipe: PipePicture): boolean {
  const { picture } = draft.state;
  const producer = picture.workers.get(pipe.producerWorkerId);
  const consumer = picture.workers.get(pipe.consumerWorkerId);
  const broadcast = picture.broadcasts.get(pipe.broadcastId);
  if (!producer || !consumer || !broadcast) return false;
  return new Overlay(picture).carriesPipe(broadcast.homeRoomId, producer, consumer);
}

function loseViewers(draft: Draft, broadcast: BroadcastState, pipe: PipePicture): void {
  for (const [room, view] of viewersOf(draft, broadcast)) {
    if (view.workerId !== pipe.consumerWorkerId) continue;
    const reason = "its broadcast cannot be sent there any more";
    loseSeat(draft, room, view, { reason, tellAgent: true });
  }
}

/** Whoever has not asked for the new generation by now watches nothing. */
function loseActive(draft: Draft, broadcast: BroadcastState, pipe: PipePicture): void {
  for (const [room, view] of viewersOf(draft, broadcast)) {
    if (view.workerId !== pipe.consumerWorkerId || view.state !== "active") continue;
    const reason = "it did not follow its broadcast";
    loseSeat(draft, room, view, { reason, tellAgent: true });
  }
}

function viewersOf(draft: Draft, broadcast: BroadcastState): [RoomState, ViewRow][] {
  return [...broadcast.rooms].flatMap((roomId) => {
    const room = draft.state.loadedRoom(roomId);
    const views = draft.state.viewsOf(roomId, broadcast.row.id);
    return views.map((view): [RoomState, ViewRow] => [room, view]);
  });
}
