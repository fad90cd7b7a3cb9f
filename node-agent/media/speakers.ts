import type { types } from "mediasoup";
import type { MediaContext } from "./context.ts";
import type { WorkerLife } from "./worker-pool.ts";

/** How often mediasoup compares who is loudest, in milliseconds. */
const compareEveryMs = 500;

/**
 * Listens who speaks, for each room on each worker: one observer, which lives
 * as long as a microphone of the room is there.
 */
export class Speakers {
  readonly #context: MediaContext;
  readonly #observers = new Map<string, Promise<types.ActiveSpeakerObserver>>();
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
      const observer = await this.#observer(key, life, roomId);
      if (!producer.closed) await observer.addProducer({ producerId: producer.id });
    } catch (error) {
      // Nobody's picture depends on knowing who speaks.
      this.#context.log.warn({ roomId, err: error }, "speaker is not observed");
    }
  }

  #observer(key: string, life: WorkerLife, roomId: string) {
    const known = this.#observers.get(key);
    if (known) return known;
    const made = life.router
      .createActiveSpeakerObserver({ interval: compareEveryMs })
      .then((observer) => {
        observer.on("dominantspeaker", ({ producer }) => {
          const broadcastId = String(producer.appData.broadcastId);
          this.#context.emit({ kind: "speaker-active", roomId, broadcastId });
        });
        observer.observer.once("close", () => this.#observers.delete(key));
        return observer;
      });
    this.#observers.set(key, made);
    made.catch(() => this.#observers.delete(key));
    return made;
  }

  #left(key: string): void {
    const left = (this.#microphones.get(key) ?? 1) - 1;
    if (left > 0) {
      this.#microphones.set(key, left);
      return;
    }
    this.#microphones.delete(key);
    const observer = this.#observers.get(key);
    this.#observers.delete(key);
    observer?.then((one) => one.close()).catch(() => {});
  }
}
