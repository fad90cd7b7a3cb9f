import type { types } from "mediasoup";
import { type MediaContext, workerIdFor } from "./context.ts";
import type { WorkerLife } from "./worker-pool.ts";

/** How often mediasoup compares who is loudest, in milliseconds. */
const compareEveryMs = 500;
/** What is quieter than this, in decibels, is nobody speaking. */
const speechThreshold = -55;

interface Ears {
  active: types.ActiveSpeakerObserver;
  levels: types.AudioLevelObserver;
}

/**
 * Listens who speaks, for each room on each worker: a pair of observers, which
 * lives as long as a microphone of the room is there.
 */
export class Speakers {
  readonly #context: MediaContext;
  readonly #ears = new Map<string, Promise<Ears>>();
  readonly #microphones = new Map<string, number>();

  constructor(context: MediaContext) {
    this.#context = context;
  }

  /** Takes a microphone's producer in, until it closes. */
  async add(
    life: WorkerLife,
    roomId: string,
    broadcastId: string,
    producer: types.Producer,
  ): Promise<void> {
    const key = `${life.incarnation} ${roomId}`;
    producer.appData.broadcastId = broadcastId;
    this.#microphones.set(key, (this.#microphones.get(key) ?? 0) + 1);
    producer.observer.once("close", () => this.#left(key));
    try {
      const { active, levels } = await this.#earsFor(key, life, roomId);
      if (producer.closed) return;
      const { id: producerId } = producer;
      await Promise.all([
        active.addProducer({ producerId }),
        levels.addProducer({ producerId }),
      ]);
    } catch (error) {
      // Nobody's picture depends on knowing who speaks.
      this.#context.log.warn({ roomId, err: error }, "speaker is not observed");
    }
  }

  #earsFor(key: string, life: WorkerLife, roomId: string): Promise<Ears> {
    const known = this.#ears.get(key);
    if (known) return known;
    const made = this.#makeEars(life, roomId);
    this.#ears.set(key, made);
    const forget = () => {
      if (this.#ears.get(key) === made) this.#ears.delete(key);
    };
    made.then(({ active }) => active.observer.once("close", forget), forget);
    return made;
  }

  async #makeEars(life: WorkerLife, roomId: string): Promise<Ears> {
    const { router } = life;
    const interval = compareEveryMs;
    const [active, levels] = await Promise.all([
      router.createActiveSpeakerObserver({ interval }),
      router.createAudioLevelObserver({ interval, threshold: speechThreshold }),
    ]);
    const workerId = workerIdFor(this.#context, life);
    // Who is loudest now, and how loud; undefined while nobody speaks.
    let loudest: types.AudioLevelObserverVolume | undefined;
    const tell = (producer: types.Producer) => {
      const broadcastId = String(producer.appData.broadcastId);
      const level = Math.max(-127, Math.min(0, loudest?.volume ?? speechThreshold));
      const kind = "speaker-active";
      this.#context.emit({ kind, roomId, workerId, broadcastId, level });
    };
    active.on("dominantspeaker", ({ producer }) => tell(producer));
    levels.on("volumes", ([first]) => {
      const begins = loudest === undefined;
      loudest = first;
      if (begins && first) tell(first.producer);
    });
    levels.on("silence", () => {
      loudest = undefined;
      this.#context.emit({ kind: "speaker-silent", roomId, workerId });
    });
    return { active, levels };
  }

  #left(key: string): void {
    const left = (this.#microphones.get(key) ?? 1) - 1;
    if (left > 0) {
      this.#microphones.set(key, left);
      return;
    }
    this.#microphones.delete(key);
    const ears = this.#ears.get(key);
    this.#ears.delete(key);
    ears
      ?.then(({ active, levels }) => {
        active.close();
        levels.close();
      })
      .catch(() => {});
  }
}
