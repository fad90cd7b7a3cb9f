import type { types } from "mediasoup";
import { mediaCodecs } from "./codecs.ts";
import type { MediaContext } from "./context.ts";
import type { IncomingPipe, PipedTrack } from "./piped.ts";
import type { WorkerLife } from "./worker-pool.ts";

/** A track as a mirror has it, until it is given back. */
export interface MirroredTrack extends PipedTrack {
  release(): void;
}

interface Mirror {
  router: Promise<types.Router>;
  /** By the id of the piped producer. */
  tracks: Map<string, { producer: Promise<types.Producer>; uses: number }>;
}

/**
 * Second routers on the workers, for players that chose payload types of their
 * own: a consumer's are its router's, and mediasoup cannot map them. All players
 * with the same types share a mirror, on the core that their seats were granted
 * on, and each track crosses to it once by a loopback pipe.
 */
export class Mirrors {
  readonly #context: MediaContext;
  readonly #mirrors = new Map<string, Mirror>();

  constructor(context: MediaContext) {
    this.#context = context;
  }

  /** Mirrors that are there at present. */
  get count(): number {
    return this.#mirrors.size;
  }

  /**
   * Brings a pipe's tracks to a router with the player's payload types.
   * @param codecs one for each kind that is wanted, under the player's types
   * @returns the router, and the tracks; each has to be released
   */
  async open(
    life: WorkerLife,
    pipe: IncomingPipe,
    codecs: types.RtpCodecCapability[],
  ): Promise<{ router: types.Router; tracks: MirroredTrack[] }> {
    const key = `${life.incarnation} ${JSON.stringify(codecs.map(nameOf).sort())}`;
    const mirror = this.#mirrors.get(key) ?? this.#add(key, life, codecs);
    const wanted = [...pipe.tracks.values()].filter(({ producer }) =>
      codecs.some(({ kind }) => kind === producer.kind),
    );
    const tracks = await Promise.all(
      wanted.map((track) => this.#mirrorTrack(key, mirror, life, track)),
    );
    return { router: await mirror.router, tracks };
  }

  #add(key: string, life: WorkerLife, codecs: types.RtpCodecCapability[]): Mirror {
    const router = life.worker.createRouter({ mediaCodecs: codecs.map(ownCodec) });
    const mirror: Mirror = { router, tracks: new Map() };
    this.#mirrors.set(key, mirror);
    router.catch(() => this.#mirrors.delete(key));
    // A life that ends takes its mirrors with it.
    life.router.observer.once("close", () => void this.#close(key));
    return mirror;
  }

  async #mirrorTrack(
    key: string,
    mirror: Mirror,
    life: WorkerLife,
    track: PipedTrack,
  ): Promise<MirroredTrack> {
    const { id } = track.producer;
    let entry = mirror.tracks.get(id);
    if (!entry) {
      entry = { producer: this.#loop(mirror, life, track.producer), uses: 0 };
      mirror.tracks.set(id, entry);
      entry.producer.catch(() => {});
    }
    entry.uses += 1;
    let released = false;
    const release = () => {
      if (released || !entry) return;
      released = true;
      entry.uses -= 1;
      if (entry.uses > 0) return;
      mirror.tracks.delete(id);
      entry.producer.then((producer) => producer.close()).catch(() => {});
      if (mirror.tracks.size === 0) void this.#close(key);
    };
    try {
      return { ...track, producer: await entry.producer, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #loop(mirror: Mirror, life: WorkerLife, producer: types.Producer) {
    const { pipePorts: portRange } = this.#context.config;
    const piped = await life.router.pipeToRouter({
      producerId: producer.id,
      router: await mirror.router,
      // Ids are unique per mediasoup worker, and both routers are on one.
      keepId: false,
      listenInfo: { protocol: "udp", ip: "127.0.0.1", portRange },
    });
    if (!piped.pipeProducer) throw new Error("The loopback pipe made no producer.");
    return piped.pipeProducer;
  }

  async #close(key: string): Promise<void> {
    const mirror = this.#mirrors.get(key);
    this.#mirrors.delete(key);
    const router = await mirror?.router.catch(() => undefined);
    router?.close();
  }
}

function nameOf({
  mimeType,
  preferredPayloadType,
  parameters,
}: types.RtpCodecCapability) {
  return [mimeType, preferredPayloadType, ownParameters(mimeType, parameters)];
}

// Of a codec's parameters only what tells it from its siblings is the router's.
const telling = ["profile-level-id", "packetization-mode", "profile-id", "profile"];

function ownParameters(mimeType: string, parameters: Record<string, unknown> = {}) {
  const base = mediaCodecs.find((codec) => codec.mimeType === mimeType)?.parameters ?? {};
  const own = Object.entries(parameters).filter(([name]) => telling.includes(name));
  return { ...base, ...Object.fromEntries(own) };
}

function ownCodec(codec: types.RtpCodecCapability): types.RtpCodecCapability {
  const { kind, mimeType, clockRate, channels, preferredPayloadType } = codec;
  const parameters = ownParameters(mimeType, codec.parameters);
  return { kind, mimeType, clockRate, channels, preferredPayloadType, parameters };
}
