import { WeirError } from "./errors.ts";
import type { Link } from "./link.ts";
import { Publication, type PublicationOptions } from "./publication.ts";

export interface PublicationsHost {
  /** The session's link, or undefined while the room is entered again. */
  link(): Link | undefined;
  changed(publication: Publication): void;
}

/** What a session sends, brought back after losses. */
export class Publications {
  readonly all = new Set<Publication>();
  readonly #host: PublicationsHost;

  constructor(host: PublicationsHost) {
    this.#host = host;
  }

  /** The broadcasts that are live or on their way. */
  get broadcastIds(): string[] {
    return [...this.all].flatMap(({ broadcastId }) => broadcastId ?? []);
  }

  /**
   * Starts a broadcast; where it cannot, the stream is stopped.
   * @throws WeirError why it cannot
   */
  async publish(options: PublicationOptions): Promise<Publication> {
    const link = this.#host.link();
    if (!link) throw new WeirError("unavailable", "The room is being entered again.");
    const publication = new Publication(options, (one) => {
      if (one.state === "stopped") this.all.delete(one);
      this.#host.changed(one);
    });
    this.all.add(publication);
    this.#host.changed(publication);
    try {
      await publication.place.start(link);
    } catch (error) {
      await publication.stop();
      throw error;
    }
    return publication;
  }

  /** The room was entered again: everything is sent anew. */
  restart(): void {
    const link = this.#host.link();
    if (!link) return;
    for (const publication of this.all) void publication.place.restart(link);
  }

  /** A broadcast has to be sent elsewhere, while what is sent now arrives or not. */
  moved({ broadcastId, oldRunsMs }: { broadcastId: string; oldRunsMs: number }): void {
    const link = this.#host.link();
    const publication = [...this.all].find((one) => one.broadcastId === broadcastId);
    if (!link || !publication) return;
    const oldUntilMs = oldRunsMs > 0 ? performance.now() + oldRunsMs : 0;
    void publication.place.resume(link, oldUntilMs);
  }

  /** The server ended a broadcast: its host may have gone, so it starts elsewhere. */
  broadcastStopped(broadcastId: string): void {
    const link = this.#host.link();
    if (!link) return;
    for (const { place } of this.all) place.stopped(link, broadcastId);
  }

  /**
   * The server tells which layers of a broadcast anyone watches.
   * @param broadcastId all of them where undefined
   */
  limitLayers(broadcastId: string | undefined, spatialLayer: number): void {
    for (const publication of this.all) {
      if (broadcastId === undefined || publication.broadcastId === broadcastId) {
        publication.limitLayers(spatialLayer);
      }
    }
  }

  /** A transport is gone, and whatever was sent through it. */
  transportGone(transportId: string): void {
    const link = this.#host.link();
    if (!link) return;
    for (const { place } of this.all) place.transportGone(link, transportId);
  }

  /** Stops everything. */
  close(): void {
    for (const publication of [...this.all]) void publication.stop();
  }
}
