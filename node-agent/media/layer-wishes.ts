import { type MediaContext, workerIdFor } from "./context.ts";
import type { View } from "./views.ts";
import type { WorkerLife } from "./worker-pool.ts";

/** Views without a wish take the best layer that there is. */
const topLayer = 7;

interface Told {
  roomId: string;
  broadcastId: string;
  life: WorkerLife;
  /** What control was told last. */
  spatialLayer?: number;
  lowering?: NodeJS.Timeout;
  deciding?: NodeJS.Timeout;
}

/**
 * Tells control the highest spatial layer of a broadcast that anyone watches on a
 * worker, so that its broadcaster need not send what nobody sees. More is told at
 * once, as someone waits for it; less only after a while, as it may be wanted again.
 * What a new view wants is not known in its first moment: a broadcaster that began
 * to send another layer then would send the first keyframe late.
 */
export class LayerWishes {
  readonly #context: MediaContext;
  readonly #views: () => View[];
  readonly #told = new Map<string, Told>();

  /** @param views all views of the node */
  constructor(context: MediaContext, views: () => View[]) {
    this.#context = context;
    this.#views = views;
  }

  /** Looks again, after a view came, went or wants to be served otherwise. */
  changed({ broadcastId, transport }: View): void {
    const { life, roomId } = transport;
    const key = `${broadcastId} ${life.incarnation}`;
    const told = this.#told.get(key) ?? { roomId, broadcastId, life };
    this.#told.set(key, told);
    this.#lookWhenDecided(key, told);
    const wanted = this.#wanted(told);
    if (wanted === undefined) return;
    if (told.spatialLayer === undefined || wanted >= told.spatialLayer) {
      clearTimeout(told.lowering);
      told.lowering = undefined;
      this.#tell(key, told, wanted);
      return;
    }
    told.lowering ??= setTimeout(() => {
      told.lowering = undefined;
      const lower = this.#wanted(told);
      if (lower !== undefined) this.#tell(key, told, lower);
    }, this.#context.timing.layerLoweringMs);
  }

  /** Tells nothing more. */
  close(): void {
    for (const { lowering, deciding } of this.#told.values()) {
      clearTimeout(lowering);
      clearTimeout(deciding);
    }
    this.#told.clear();
  }

  /** -1 where nobody sees anything of it; undefined where no view has decided. */
  #wanted({ broadcastId, life }: Told): number | undefined {
    const views = this.#viewsOf(broadcastId, life);
    const decided = views.filter((view) => this.#decidesInMs(view) <= 0);
    if (views.length > 0 && decided.length === 0) return undefined;
    const wishes = decided.map((view) => {
      if (!view.seesPicture) return -1;
      return view.wishes.preferredLayers?.spatialLayer ?? topLayer;
    });
    return Math.max(-1, ...wishes);
  }

  /** Milliseconds until a view counts, whether it has told a wish or not. */
  #decidesInMs(view: View): number {
    if (view.wishes.preferredLayers || !view.seesPicture) return 0;
    const { layerDecidingMs } = this.#context.timing;
    return view.bornAtMs + layerDecidingMs - performance.now();
  }

  #lookWhenDecided(key: string, told: Told): void {
    const views = this.#viewsOf(told.broadcastId, told.life);
    const open = views.filter((view) => this.#decidesInMs(view) > 0);
    const [first] = open;
    if (!first) return;
    const dueMs = Math.max(...open.map((view) => this.#decidesInMs(view)));
    clearTimeout(told.deciding);
    told.deciding = setTimeout(() => {
      told.deciding = undefined;
      if (this.#told.get(key) === told) this.changed(first);
    }, dueMs + 1);
  }

  #viewsOf(broadcastId: string, life: WorkerLife): View[] {
    return this.#views().filter(
      (view) =>
        view.broadcastId === broadcastId &&
        view.transport.life.incarnation === life.incarnation,
    );
  }

  #tell(key: string, told: Told, spatialLayer: number): void {
    const { roomId, broadcastId, life } = told;
    if (this.#viewsOf(broadcastId, life).length === 0) this.#told.delete(key);
    if (told.spatialLayer === spatialLayer) return;
    told.spatialLayer = spatialLayer;
    const workerId = workerIdFor(this.#context, life);
    const kind = "layers-wanted";
    this.#context.emit({ kind, roomId, broadcastId, workerId, spatialLayer });
  }
}
