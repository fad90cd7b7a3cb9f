import { randomBytes } from "node:crypto";
import { HranaConnection } from "./hrana-connection.ts";
import type { PipelineAnswer, PipelineBody } from "./hrana-protocol.ts";
import { HranaError } from "./hrana-protocol.ts";
import { HranaStream } from "./hrana-stream.ts";
import { WriterLock } from "./writer-lock.ts";

interface Parked {
  stream: HranaStream;
  timer: NodeJS.Timeout;
}

const idleConnectionsMax = 8;

/**
 * One database file with its connections, its writer lock and the streams that
 * clients left open between two requests.
 */
export class HranaDatabase {
  readonly #file: string;
  readonly #streamTtlMs: number;
  readonly #lock = new WriterLock();
  readonly #schema = { version: 0 };
  readonly #idle: HranaConnection[] = [];
  readonly #parked = new Map<string, Parked>();
  #closed = false;

  /**
   * Opens the file.
   * @param file the database's file, made when absent
   * @param streamTtlMs a stream not continued for this long is rolled back
   * @throws Error where the file cannot be opened
   */
  constructor(file: string, streamTtlMs: number) {
    this.#file = file;
    this.#streamTtlMs = streamTtlMs;
    // Opening now makes a bad path fail here rather than at the first request.
    this.#give(this.#take());
  }

  /** Streams that wait for their client's next request. */
  get openStreams(): number {
    return this.#parked.size;
  }

  /** Requests that wait for the writer lock. */
  get waitingWriters(): number {
    return this.#lock.waiting;
  }

  /**
   * Runs one pipeline, on a new stream or on the one that its baton names.
   * @throws HranaError where the baton is unknown, used already or expired
   */
  async pipeline({ baton, requests }: PipelineBody): Promise<PipelineAnswer> {
    if (this.#closed) throw new HranaError("DATABASE_CLOSED", "The database is closed");
    const stream = typeof baton === "string" ? this.#unpark(baton) : this.#newStream();
    const results = await stream.run(requests);
    if (this.#closed) stream.close();
    return {
      baton: stream.closed ? null : this.#park(stream),
      base_url: null,
      results,
    };
  }

  /** Rolls back and forgets every stream that waits for its client. */
  dropStreams(): void {
    for (const { stream, timer } of this.#parked.values()) {
      clearTimeout(timer);
      stream.close();
    }
    this.#parked.clear();
  }

  /** Rolls back everything open and closes the file. */
  close(): void {
    this.#closed = true;
    this.#lock.close();
    this.dropStreams();
    for (const connection of this.#idle.splice(0)) connection.close();
  }

  #newStream(): HranaStream {
    return new HranaStream(
      { take: () => this.#take(), give: (connection) => this.#give(connection) },
      this.#lock,
    );
  }

  #take(): HranaConnection {
    return this.#idle.pop() ?? new HranaConnection(this.#file, this.#schema);
  }

  #give(connection: HranaConnection): void {
    const keep = !connection.tainted && !this.#closed;
    if (keep && this.#idle.length < idleConnectionsMax) this.#idle.push(connection);
    else connection.close();
  }

  /** A baton is good for one request, so a request that is repeated is refused. */
  #park(stream: HranaStream): string {
    const baton = randomBytes(24).toString("base64url");
    const timer = setTimeout(() => {
      this.#parked.delete(baton);
      stream.close();
    }, this.#streamTtlMs);
    timer.unref();
    this.#parked.set(baton, { stream, timer });
    return baton;
  }

  #unpark(baton: string): HranaStream {
    const parked = this.#parked.get(baton);
    if (!parked) {
      throw new HranaError("STREAM_EXPIRED", "The stream has expired or is unknown");
    }
    clearTimeout(parked.timer);
    this.#parked.delete(baton);
    return parked.stream;
  }
}
