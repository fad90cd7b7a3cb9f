import { setTimeout as delay } from "node:timers/promises";
import type { Described } from "./crowd/contract.ts";
import type { RunningZone } from "./zone.ts";

const everyMs = 5000;

/**
 * Looks for pictures that stay away for long, and says of each once what its viewer's
 * SDK knows, and how the hosts stand: a run's longest interruptions can be understood
 * from that.
 */
export class LongDark {
  readonly #zone: RunningZone;
  readonly #fromMs: number;
  readonly #say: (text: string) => void;
  readonly #told = new Set<string>();
  readonly #over = new AbortController();
  #looking: Promise<void> | undefined;

  /** @param fromMs for how long a picture has to be away, in milliseconds */
  constructor(zone: RunningZone, fromMs: number, say: (text: string) => void) {
    this.#zone = zone;
    this.#fromMs = fromMs;
    this.#say = say;
  }

  start(): void {
    this.#looking = this.#look();
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      await delay(everyMs, undefined, { signal }).catch(() => undefined);
      const fresh = (await this.#zone.crowd.remote.describeDark()).filter((one) =>
        this.#isNews(one),
      );
      if (fresh.length === 0) continue;
      for (const one of fresh) this.#say(`long dark: ${JSON.stringify(one)}`);
      const nodes = await this.#zone.control.remote.nodes().catch(() => []);
      this.#say(`hosts then: ${JSON.stringify(nodes)}`);
    }
  }

  /** Whether it is in the dark for so long, and was not told of in this darkness. */
  #isNews({ identity, dark }: Described): boolean {
    const missed = dark.filter(({ ms }) => ms >= this.#fromMs);
    const keys = missed.map((one) => `${identity} ${one.identity}`);
    for (const key of this.#told) {
      if (key.startsWith(`${identity} `) && !keys.includes(key)) this.#told.delete(key);
    }
    const fresh = keys.filter((key) => !this.#told.has(key));
    for (const key of fresh) this.#told.add(key);
    return fresh.length > 0;
  }
}
