import type { Client } from "@libsql/client/web";
import type { DatabaseName } from "#schema/databases.ts";
import type { DatabaseAddress } from "../env.ts";
import { openDatabase } from "../ledger/client.ts";
import { Problem } from "../problem.ts";

/** Seconds after which a refused caller should try again. */
const retryAfter = 2;

/**
 * One of the databases beside the ledger. Where it does not answer, it is left
 * alone for a moment, so that not every request waits for it in vain.
 */
export class Part {
  readonly #name: DatabaseName;
  readonly #address: DatabaseAddress;
  readonly #timeoutMs: number;
  readonly #pauseMs: number;
  #pausedUntilMs = 0;
  /** When it answered last. */
  #answeredAtMs = 0;

  /** @param patience milliseconds that it may take, and that it is left alone */
  constructor(
    name: DatabaseName,
    address: DatabaseAddress,
    patience: { timeoutMs: number; pauseMs: number },
  ) {
    this.#name = name;
    this.#address = address;
    this.#timeoutMs = patience.timeoutMs;
    this.#pauseMs = patience.pauseMs;
  }

  /** Whether it failed a moment ago and is not asked at present. */
  get paused(): boolean {
    return Date.now() < this.#pausedUntilMs;
  }

  /**
   * Does something with the database.
   * @throws Problem `unavailable`, naming the part, where it does not answer; what
   *   the database itself refuses is thrown as it is
   */
  async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    if (this.paused) throw this.#down();
    return this.try(work);
  }

  /** The same, whether it is paused or not: its answer ends the pause. */
  async try<T>(work: (client: Client) => Promise<T>): Promise<T> {
    // A client queues its requests, and a request must not wait in another's
    // queue: each has its own, which costs next to nothing.
    const { url, token } = this.#address;
    const client = openDatabase(url, token, this.#timeoutMs);
    const startedMs = Date.now();
    try {
      const result = await work(client);
      this.#pausedUntilMs = 0;
      this.#answeredAtMs = Date.now();
      return result;
    } catch (error) {
      if (isRefusedByDatabase(error)) throw error;
      // Where it answers others meanwhile, it is slow and not down.
      const isDown = this.#answeredAtMs <= startedMs;
      if (isDown) this.#pausedUntilMs = Date.now() + this.#pauseMs;
      throw this.#down();
    }
  }

  /** Whether it answers now. */
  async answers(): Promise<boolean> {
    try {
      await this.try((client) => client.execute("SELECT 1"));
      return true;
    } catch {
      return false;
    }
  }

  #down(): Problem {
    const detail = `The ${this.#name} database does not answer.`;
    return new Problem("unavailable", { detail, part: this.#name, retryAfter });
  }
}

/** An answer of the database's engine, as against none at all. */
function isRefusedByDatabase(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (!("code" in at)) continue;
    const code = String(at.code);
    // A busy database has not looked at the request: it is as good as down.
    if (code.startsWith("SQLITE_")) return !code.startsWith("SQLITE_BUSY");
  }
  return false;
}
