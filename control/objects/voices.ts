import type { NodeEvent } from "#schema/agent/control.ts";

type Voiced = Extract<NodeEvent, { kind: "speaker-active" | "speaker-silent" }>;

interface Voice {
  broadcastId: string;
  /** Decibels below the loudest that there can be, -127 to 0. */
  level: number;
  speaks: boolean;
}

/**
 * Who speaks in a room, out of what each of its producer workers hears: each knows
 * the loudest of its own broadcasts only.
 */
export class Voices {
  readonly #byWorker = new Map<string, Voice>();
  #current: string | undefined;

  /** The broadcast that spoke last, if any has. */
  get speaking(): string | undefined {
    return this.#byWorker.get(this.#current ?? "")?.broadcastId;
  }

  /** Takes in what a worker hears. @returns whether someone else speaks now */
  hear(heard: Voiced): boolean {
    const before = this.speaking;
    const { workerId } = heard;
    if (heard.kind === "speaker-silent") {
      const voice = this.#byWorker.get(workerId);
      if (voice) voice.speaks = false;
      if (this.#current === workerId) this.#current = this.#loudest() ?? workerId;
    } else {
      const { broadcastId, level } = heard;
      this.#byWorker.set(workerId, { broadcastId, level, speaks: true });
      const current = this.#byWorker.get(this.#current ?? "");
      // Whoever is louder takes over; else whoever speaks is left to finish.
      if (!current?.speaks || level >= current.level) this.#current = workerId;
    }
    return this.speaking !== before;
  }

  #loudest(): string | undefined {
    const speakers = [...this.#byWorker].filter(([, { speaks }]) => speaks);
    speakers.sort(([, a], [, b]) => b.level - a.level);
    return speakers[0]?.[0];
  }
}
