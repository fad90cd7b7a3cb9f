import type { MediaClass } from "#schema/settings.ts";
import type { PassedOver, PlacedView, ViewRequest } from "./decision.ts";
import { isUsable, Overlay } from "./overlay.ts";
import type { Picture } from "./picture.ts";
import type { BroadcastPicture, WorkerPicture } from "./picture-rows.ts";

/** One request on its way through the steps of placement. */
export class Search {
  readonly request: ViewRequest;
  readonly picture: Picture;
  readonly overlay: Overlay;
  /** What is wanted and not yet placed, in the order asked. */
  readonly remaining = new Map<string, BroadcastPicture>();
  readonly placed = new Map<string, PlacedView>();
  /** Workers that carry the viewer, those that this request adds included. */
  readonly ownWorkers: Set<string>;

  constructor(request: ViewRequest, picture: Picture) {
    this.request = request;
    this.picture = picture;
    this.overlay = new Overlay(picture);
    this.ownWorkers = new Set(request.sessionWorkers);
    for (const id of request.broadcastIds) {
      const broadcast = picture.broadcasts.get(id);
      if (broadcast) this.remaining.set(id, broadcast);
    }
  }

  /** Whether a broadcast has a pipe to the worker that a new view can use. */
  isPiped(broadcastId: string, workerId: string): boolean {
    return isUsable(this.picture.pipe(broadcastId, workerId));
  }

  /** Places one view, if links and budgets still carry it. */
  tryTake(
    broadcast: BroadcastPicture,
    worker: WorkerPicture,
    points: number,
    piped: boolean,
    grounds: { rule: string; considered: number; passedOver: PassedOver },
  ): boolean {
    if (this.misfit(broadcast, worker, piped)) return false;
    this.overlay.take(broadcast, worker, points, piped);
    this.remaining.delete(broadcast.id);
    this.ownWorkers.add(worker.id);
    this.placed.set(broadcast.id, {
      ...grounds,
      broadcastId: broadcast.id,
      workerId: worker.id,
      points,
      opensPipe: !piped,
    });
    return true;
  }

  /** What keeps one view of the room from a worker, or nothing. */
  misfit(broadcast: BroadcastPicture, worker: WorkerPicture, piped: boolean) {
    return this.overlay.misfit(this.request.roomId, broadcast, worker, piped);
  }

  /** Whether a worker may take anything new of this request. */
  isOpen(worker: WorkerPicture): boolean {
    return this.picture.isOpen(worker) && !this.request.avoid?.has(worker.id);
  }

  /** Points that the room may still take on a worker. */
  freePoints(worker: WorkerPicture): number {
    return this.overlay.freePoints(this.request.roomId, worker);
  }

  remainingOf(media: MediaClass): BroadcastPicture[] {
    return [...this.remaining.values()].filter((wanted) => wanted.mediaClass === media);
  }
}
