import type { BroadcastInfo } from "#schema/events.ts";
import type { ViewWishesWire } from "#schema/media.ts";
import { asWeirError } from "./errors.ts";
import type { Link } from "./link.ts";
import { pickPictures } from "./pick-pictures.ts";
import { layerFor, spatialLayersOf } from "./picture-size.ts";
import type { RoomEvents } from "./types.ts";
import type { View } from "./view.ts";

/** More is asked for at once, less only after this, in milliseconds. */
const moreAfterMs = 60;
const lessAfterMs = 1200;
const viewsPerRequest = 64;
/** What a picture is taken to measure before any of it has arrived. */
const usualSize = { width: 1280, height: 720 };

export interface AttentionHost {
  /** The session's link, or undefined while the room is entered again. */
  link(): Link | undefined;
  views: ReadonlyMap<string, View>;
  broadcasts: ReadonlyMap<string, BroadcastInfo>;
  /** Cameras whose pictures are shown at once. */
  picturesMax(): number;
}

type Wishes = Required<Pick<ViewWishesWire, "pausedKinds">> & ViewWishesWire;

/**
 * Asks for no more of each view than is looked at: the layer that fills its place
 * on the page, no picture where it is out of sight, and in large rooms only those
 * who spoke last. Sound is asked for always.
 */
export class Attention {
  readonly #host: AttentionHost;
  /** Who spoke, the last one first. */
  #speakers: string[] = [];
  /** What the server was last told, by view id. */
  readonly #told = new Map<string, Wishes>();
  #more: ReturnType<typeof setTimeout> | undefined;
  #less: ReturnType<typeof setTimeout> | undefined;
  readonly #onVisibility = () => this.look();

  constructor(host: AttentionHost) {
    this.#host = host;
    document.addEventListener("visibilitychange", this.#onVisibility);
  }

  /** Follows what happens in the room. */
  follow<Name extends keyof RoomEvents>(name: Name, payload: RoomEvents[Name]): void {
    if (name === "speaker") this.#spoke((payload as RoomEvents["speaker"]).broadcastId);
    else if (name === "quality") this.#receives(payload as RoomEvents["quality"]);
    else if (name === "view" || name === "broadcast.stopped") this.look();
  }

  /** Someone speaks: their picture is among those that are shown. */
  #spoke(broadcastId: string): void {
    const others = this.#speakers.filter((id) => id !== broadcastId);
    this.#speakers = [broadcastId, ...others].slice(0, 256);
    this.look();
  }

  #receives(quality: RoomEvents["quality"]): void {
    const { viewId, score, spatialLayer, temporalLayer } = quality;
    const receiving = { score, spatialLayer, temporalLayer };
    for (const { feed, next } of this.#host.views.values()) {
      for (const one of [feed, next]) {
        if (one?.viewId === viewId) one.receiving = receiving;
      }
    }
    this.look();
  }

  /** Whether a broadcast's picture should play when it is watched first. */
  wantsPicture(broadcastId: string): boolean {
    const view = this.#host.views.get(broadcastId);
    return this.#pictures().has(broadcastId) && (!view || isLookedAt(view));
  }

  /** Looks at all views again soon, after something about them changed. */
  look(): void {
    this.#more ??= setTimeout(() => {
      this.#more = undefined;
      this.#ask(false);
    }, moreAfterMs);
    this.#less ??= setTimeout(() => {
      this.#less = undefined;
      this.#ask(true);
    }, lessAfterMs);
  }

  close(): void {
    clearTimeout(this.#more);
    clearTimeout(this.#less);
    document.removeEventListener("visibilitychange", this.#onVisibility);
  }

  #pictures(): Set<string> {
    return pickPictures({
      broadcasts: [...this.#host.broadcasts.values()].filter(({ id }) =>
        this.#host.views.has(id),
      ),
      pinned: (id) => this.#host.views.get(id)?.options.pinned ?? false,
      inSight: (id) => this.#host.views.get(id)?.elements.showing?.visible ?? true,
      speakers: this.#speakers,
      picturesMax: this.#host.picturesMax(),
    });
  }

  #ask(less: boolean): void {
    const link = this.#host.link();
    if (!link) return;
    const pictures = this.#pictures();
    const byTransport = new Map<string, { id: string; wishes: Wishes }[]>();
    const known = new Set<string>();
    for (const view of this.#host.views.values()) {
      const { id, transportId, broadcastId } = view;
      if (!id || !transportId || view.state !== "ready") continue;
      known.add(id);
      const told = this.#told.get(id) ?? {
        pausedKinds: [...(view.feed?.pausedAtFirst ?? [])],
      };
      const picked = pictures.has(broadcastId);
      const wanted = wishesOf(view, picked);
      const wishes = less ? wanted : atLeast(wanted, told);
      view.showPicture(!wishes.pausedKinds.includes("video"), !picked);
      if (same(wishes, told)) continue;
      this.#told.set(id, wishes);
      const list = byTransport.get(transportId) ?? [];
      byTransport.set(transportId, [...list, { id, wishes }]);
    }
    for (const id of [...this.#told.keys()]) if (!known.has(id)) this.#told.delete(id);
    for (const [transportId, views] of byTransport) {
      for (let at = 0; at < views.length; at += viewsPerRequest) {
        void this.#tell(link, transportId, views.slice(at, at + viewsPerRequest));
      }
    }
  }

  async #tell(
    link: Link,
    transportId: string,
    views: { id: string; wishes: Wishes }[],
  ): Promise<void> {
    const body = { views: views.map(({ id, wishes }) => ({ id, ...wishes })) };
    try {
      await link.run((api) => api.patchViews(transportId, body));
    } catch (error) {
      // Views that are gone need nothing; the others are told again with what comes.
      if (link.closed || asWeirError(error).code === "not-found") return;
      for (const { id } of views) this.#told.delete(id);
      setTimeout(() => this.look(), 1000);
    }
  }
}

/** Whether anyone can see its picture; what no element shows may be drawn elsewhere. */
function isLookedAt({ elements, options }: View): boolean {
  return (elements.showing?.visible ?? true) && !options.pictureOff;
}

/** What a view should be served with, as it is shown now. */
function wishesOf(view: View, picture: boolean): Wishes {
  const { options } = view;
  const { showing, received } = view.elements;
  const seen = picture && isLookedAt(view);
  const pausedKinds: Wishes["pausedKinds"] = seen ? [] : ["video"];
  if (options.soundOff) pausedKinds.push("audio");
  const asked: Wishes = { pausedKinds };
  if (options.priority !== undefined) asked.priority = options.priority;
  const video = [...view.consumers.values()].find(({ kind }) => kind === "video");
  const layers = video ? spatialLayersOf(video) : 1;
  if (options.layers) asked.preferredLayers = options.layers;
  else if (layers > 1 && showing?.visible) {
    const { spatialLayer } = view.receiving;
    const scale = 2 ** (layers - 1 - (spatialLayer ?? layers - 1));
    const full =
      received && spatialLayer !== undefined
        ? { width: received.width * scale, height: received.height * scale }
        : usualSize;
    asked.preferredLayers = { spatialLayer: layerFor(showing.size, layers, full) };
  }
  return asked;
}

/** The more of what is wanted and what the server was told. */
function atLeast(wanted: Wishes, told: Wishes): Wishes {
  const pausedKinds = wanted.pausedKinds.filter((kind) =>
    told.pausedKinds.includes(kind),
  );
  const wantedLayer = wanted.preferredLayers;
  const toldLayer = told.preferredLayers;
  const higher =
    wantedLayer && toldLayer && toldLayer.spatialLayer > wantedLayer.spatialLayer
      ? toldLayer
      : wantedLayer;
  // Without a word about layers the best one is sent: that is more than any.
  const preferredLayers = toldLayer ? (higher ?? toldLayer) : undefined;
  const { priority } = wanted;
  return {
    pausedKinds,
    ...(preferredLayers && { preferredLayers }),
    ...(priority !== undefined && { priority }),
  };
}

function same(a: Wishes, b: Wishes): boolean {
  return (
    a.pausedKinds.length === b.pausedKinds.length &&
    a.pausedKinds.every((kind) => b.pausedKinds.includes(kind)) &&
    a.preferredLayers?.spatialLayer === b.preferredLayers?.spatialLayer &&
    a.preferredLayers?.temporalLayer === b.preferredLayers?.temporalLayer &&
    a.priority === b.priority
  );
}
