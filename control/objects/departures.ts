import type { brokerOf } from "./names.ts";

type Broker = ReturnType<typeof brokerOf>;

/** What could not be told is told again after this. */
export const tellAgainMs = 2000;

/**
 * Tells the broker of sessions whose channel is gone. Where it cannot be told,
 * because the database is down, the session is kept here until it can: else
 * it would hold its seats for ever.
 */
export class Departures {
  readonly #storage: DurableObjectStorage;
  readonly #broker: (roomId: string) => Broker;

  constructor(storage: DurableObjectStorage, broker: (roomId: string) => Broker) {
    this.#storage = storage;
    this.#broker = broker;
  }

  /** @returns whether the broker knows now */
  async tell(roomId: string, sessionId: string): Promise<boolean> {
    const answer = await this.#broker(roomId)
      .ask("detachSession", { roomId, sessionId })
      .catch(() => undefined);
    const told = answer?.ok || answer?.refusal.refusal === "not-found";
    if (told) await this.cancel(sessionId);
    else await this.#storage.put(keyOf(sessionId), roomId);
    return told ?? false;
  }

  /** The session has come back: its departure is history. */
  async cancel(sessionId: string): Promise<void> {
    await this.#storage.delete(keyOf(sessionId));
  }

  /** @returns whether some are still to be told */
  async tellAgain(): Promise<boolean> {
    const untold = await this.#storage.list<string>({ prefix, limit: 100 });
    const told = await Promise.all(
      [...untold].map(([key, roomId]) => this.tell(roomId, key.slice(prefix.length))),
    );
    return told.includes(false) || untold.size === 100;
  }
}

const prefix = "departed:";

function keyOf(sessionId: string): string {
  return prefix + sessionId;
}
