import type { MediaClass, WorkerRole } from "#schema/settings.ts";

/** Why a worker can take nothing new whatever is asked; absent where it can. */
export type Closed =
  | "closed"
  | "draining"
  | "failing"
  | "suspect"
  | "no-quota"
  | "no-egress"
  | "no-ingress"
  | "other-room";

interface Place {
  key: string;
  free: number;
  closed: Closed | undefined;
  rank: number;
}

/**
 * Workers that can take something new, by role, media class and free room, and
 * counts of those that cannot. Placement asks it for the emptiest or the fullest
 * worker; an answer costs the number of levels, never the number of workers.
 *
 * Within a level workers come in the order of a hash of their ids: the same for
 * every picture with the same content, and spread over the nodes.
 */
export class WorkerIndex {
  readonly #places = new Map<string, Place>();
  readonly #levels = new Map<string, Map<number, string[]>>();
  readonly #closed = new Map<string, Map<Closed, number>>();

  /** Files a worker under what it has free, in place of where it was before. */
  file(
    id: string,
    role: WorkerRole,
    media: MediaClass,
    free: number,
    closed: Closed | undefined,
  ): void {
    const key = keyOf(role, media);
    const before = this.#places.get(id);
    if (
      before &&
      before.key === key &&
      before.free === free &&
      before.closed === closed
    ) {
      return;
    }
    if (before) this.remove(id);
    const place: Place = { key, free, closed, rank: before?.rank ?? rankOf(id) };
    this.#places.set(id, place);
    if (closed) {
      const counts = this.#closed.get(key) ?? new Map<Closed, number>();
      counts.set(closed, (counts.get(closed) ?? 0) + 1);
      this.#closed.set(key, counts);
      return;
    }
    let levels = this.#levels.get(key);
    if (!levels) {
      levels = new Map();
      this.#levels.set(key, levels);
    }
    const ids = levels.get(free);
    if (ids) ids.splice(this.#positionIn(ids, id, place.rank), 0, id);
    else levels.set(free, [id]);
  }

  remove(id: string): void {
    const place = this.#places.get(id);
    if (!place) return;
    this.#places.delete(id);
    if (place.closed) {
      const counts = this.#closed.get(place.key);
      counts?.set(place.closed, (counts.get(place.closed) ?? 0) - 1);
      return;
    }
    const levels = this.#levels.get(place.key);
    const ids = levels?.get(place.free);
    if (!ids) return;
    ids.splice(this.#positionIn(ids, id, place.rank), 1);
    if (ids.length === 0) levels?.delete(place.free);
  }

  /** Workers with exactly `free` room, in the index's order. */
  withFree(role: WorkerRole, media: MediaClass, free: number): readonly string[] {
    return this.#levels.get(keyOf(role, media))?.get(free) ?? none;
  }

  /** The amounts of free room that occur, most first. */
  levels(role: WorkerRole, media: MediaClass): number[] {
    const levels = this.#levels.get(keyOf(role, media));
    return levels ? [...levels.keys()].sort((a, b) => b - a) : [];
  }

  /** How many workers can take nothing new, by reason. */
  closedCounts(role: WorkerRole, media: MediaClass): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const [reason, count] of this.#closed.get(keyOf(role, media)) ?? []) {
      if (count > 0) counts[reason] = count;
    }
    return counts;
  }

  /** Where a worker is, or belongs, in a level's list. */
  #positionIn(ids: readonly string[], id: string, rank: number): number {
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = ids[middle] as string;
      const otherRank = this.#places.get(other)?.rank ?? rankOf(other);
      if (otherRank < rank || (otherRank === rank && other < id)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const none: readonly string[] = [];

function keyOf(role: WorkerRole, media: MediaClass): string {
  return role === "consumer" ? media : media === "camera" ? "from-camera" : "from-screen";
}

/** FNV-1a: ids of one node differ in their last digit and must not stay together. */
function rankOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}
