/** Gives the lock back; calling it again does nothing. */
export type ReleaseLock = () => void;

/**
 * A first-in, first-out lock for the one writer that SQLite allows. Waiting here
 * rather than in SQLite keeps the event loop free and never meets SQLITE_BUSY.
 */
export class WriterLock {
  #held = false;
  #closed = false;
  readonly #waiting: { grant: () => void; refuse: (error: Error) => void }[] = [];

  /** How many wait for the lock. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Waits for the lock.
   * @returns the function that gives it back
   * @throws Error once the lock is closed
   */
  acquire(): Promise<ReleaseLock> {
    if (this.#closed) return Promise.reject(new Error("The database is closed"));
    if (!this.#held) {
      this.#held = true;
      return Promise.resolve(this.#releaseOnce());
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ grant: () => resolve(this.#releaseOnce()), refuse: reject });
    });
  }

  /** Refuses everyone who waits and everyone to come. */
  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiting.splice(0)) {
      waiter.refuse(new Error("The database is closed"));
    }
  }

  #releaseOnce(): ReleaseLock {
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const next = this.#waiting.shift();
      // The lock goes from hand to hand, so that nobody can slip in between.
      if (next) next.grant();
      else this.#held = false;
    };
  }
}
