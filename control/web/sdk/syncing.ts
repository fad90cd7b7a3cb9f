import type { Watched } from "#schema/api/media.ts";
import type { BroadcastInfo } from "#schema/events.ts";
import { backoffMs } from "./backoff.ts";
import type { Link } from "./link.ts";
import type { View } from "./view.ts";

const gatherMs = 8;
const maxAttempts = 5;

export interface SyncingHost {
  /** The session's link, or undefined while the room is entered again. */
  link(): Link | undefined;
  broadcasts: ReadonlyMap<string, BroadcastInfo>;
  answered(link: Link, watched: Watched): Promise<void>;
}

/** Fetches tracks that broadcasts have gained since they were asked for. */
export class Syncing {
  readonly #host: SyncingHost;
  readonly #due = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(host: SyncingHost) {
    this.#host = host;
  }

  /** Fetches what a view lacks, if it lacks anything. */
  begin(view: View, attempt = 0): void {
    const { broadcastId } = view;
    if (view.state !== "ready" || this.#due.has(broadcastId)) return;
    if (!this.#lacksTracks(view)) return;
    const dueMs = attempt === 0 ? gatherMs : backoffMs(attempt);
    const timer = setTimeout(async () => {
      await this.#fetch(view).catch(() => {});
      this.#due.delete(broadcastId);
      if (attempt < maxAttempts) this.begin(view, attempt + 1);
    }, dueMs);
    this.#due.set(broadcastId, timer);
  }

  /** Fetches nothing more for a broadcast. */
  forget(broadcastId: string): void {
    clearTimeout(this.#due.get(broadcastId));
    this.#due.delete(broadcastId);
  }

  async #fetch(view: View): Promise<void> {
    const link = this.#host.link();
    const viewId = view.id;
    if (!link || !viewId) return;
    const { rtpCapabilities, identification } = link;
    const { dtlsParameters } = identification;
    const body = { rtpCapabilities, dtlsParameters };
    await this.#host.answered(link, await link.run((api) => api.syncView(viewId, body)));
  }

  #lacksTracks(view: View): boolean {
    const tracks = this.#host.broadcasts.get(view.broadcastId)?.tracks ?? [];
    return tracks.some(({ id }) => !view.has(id));
  }
}
