import type { brokerOf } from "./names.ts";

type Broker = ReturnType<typeof brokerOf>;

/** What could not be told is told again after this. */
export const tellAgainMs = 2000;

/**
 * Tells the broker of sessions whose channel is gone. Where it cannot be told,
 * because the database is down, the session is kept here until it can: else
 * it would hold its seats for ever. Who is here is kept as well: a runtime that
 * is killed takes the sockets with it, and nobody says that they closed.
 */
export class Departures {
  readonly #storage: DurableObjectStorage;
  readonly #broker: (roomId: string) => Broker;
  readonly #wokeAtMs = Date.now();
  /** All who were here before this object woke have a socket again, or were told of. */
  #formerTold = false;

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
    if (told) await this.forget(sessionId);
    else await this.#storage.put(departed + sessionId, roomId);
    return told ?? false;
  }

  /** The session is here, perhaps again: its departure is history. */
  async arrived(roomId: string, sessionId: string): Promise<void> {
    await this.#storage.delete(departed + sessionId);
    await this.#storage.put(here + sessionId, roomId);
  }

  /** The session is over, or told of. */
  async forget(sessionId: string): Promise<void> {
    await this.#storage.delete([departed + sessionId, here + sessionId]);
  }

  /**
   * Tells of those who were here when this object lost its sockets, and have not
   * come back.
   * @param present sessions that have a socket
   * @param patienceMs how long after its waking they have time for that
   * @returns when to look again, in milliseconds since 1970, if at all
   */
  async tellFormer(
    present: ReadonlySet<string>,
    patienceMs: number,
  ): Promise<number | undefined> {
    if (this.#formerTold) return undefined;
    const formerly = await this.#storage.list<string>({ prefix: here });
    const missing = [...formerly]
      .map(([key, roomId]) => ({ roomId, sessionId: key.slice(here.length) }))
      .filter(({ sessionId }) => !present.has(sessionId));
    const dueMs = this.#wokeAtMs + patienceMs;
    if (missing.length > 0 && Date.now() < dueMs) return dueMs;
    for (const { roomId, sessionId } of missing) await this.tell(roomId, sessionId);
    this.#formerTold = true;
    return undefined;
  }

  /** @returns whether some are still to be told */
  async tellAgain(): Promise<boolean> {
    const untold = await this.#storage.list<string>({ prefix: departed, limit: 100 });
    const told = await Promise.all(
      [...untold].map(([key, roomId]) => this.tell(roomId, key.slice(departed.length))),
    );
    return told.includes(false) || untold.size === 100;
  }
}

const departed = "departed:";
const here = "here:";
