/**
 * A map that forgets its oldest entries: what has to be remembered "for a long
 * while" must not become what fills the memory of a host that runs for a year.
 */
export class BoundedMap<Value> {
  readonly #entries = new Map<string, Value>();
  readonly #capacity: number;

  /** @param capacity entries kept; setting one more drops the oldest */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Entries kept at present. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether a key is still remembered. */
  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** The value of a key, or undefined where it is unknown or forgotten. */
  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  /** Sets an entry and makes it the youngest. */
  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#capacity) return;
    const oldest = this.#entries.keys().next().value;
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
