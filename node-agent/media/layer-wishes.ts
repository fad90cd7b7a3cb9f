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
}

/**
 * Tells control the highest spatial layer of a broadcast that anyone watches on a
 * worker, so that its broadcaster need not send what nobody sees. More is told at
 * once, as someone waits for it; less only after a while, as it may be wanted again.
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
    const wanted = this.#wanted(told);
    if (told.spatialLayer === undefined || wanted >= told.spatialLayer) {
      clearTimeout(told.lowering);
      told.lowering = undefined;
      this.#tell(key, told, wanted);
      return;
    }
    told.lowering ??= setTimeout(() => {
      told.lowering = undefined;
      this.#tell(key, told, this.#wanted(told));
    }, this.#context.timing.layerLoweringMs);
  }

  /** Tells nothing more. */
  close(): void {
    for (const { lowering } of this.#told.values()) clearTimeout(lowering);
    this.#told.clear();
  }

  /** -1 where nobody sees anything of it. */
  #wanted({ broadcastId, life }: Told): number {
    const wishes = this.#viewsOf(broadcastId, life).map((view) => {
      if (!view.seesPicture) return -1;
      return view.wishes.preferredLayers?.spatialLayer ?? topLayer;
    });
    return Math.max(-1, ...wishes);
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
