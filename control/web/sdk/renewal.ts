import { backoffMs } from "./backoff.ts";

export interface RenewalHost {
  /** Asks on the channel. @returns false where it is down */
  askChannel(): boolean;
  /** Asks the API, and takes in what it answers. @throws WeirError why it gives none */
  askApi(): Promise<void>;
}

/** Asks for a fresh credential well before the one at hand ends. */
export class Renewal {
  readonly #host: RenewalHost;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** @param expiresAt the end of the credential at hand */
  constructor(expiresAt: string, host: RenewalHost) {
    this.#host = host;
    this.#wait(expiresAt, 0);
  }

  /** A fresh credential is there, whoever asked for it. */
  restart(expiresAt: string): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#wait(expiresAt, 0);
  }

  /** Asks no more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #wait(expiresAt: string, attempt: number): void {
    // The device's clock may be wrong: no more than a day ahead, no less than 5 s.
    const leftMs = Date.parse(expiresAt) - Date.now();
    const dueMs = Math.min(Math.max(leftMs * 0.7, 5000), 86_400_000);
    const waitMs = attempt === 0 ? dueMs : backoffMs(attempt, 2000, 30_000);
    this.#timer = setTimeout(() => void this.#renew(expiresAt, attempt), waitMs);
  }

  async #renew(expiresAt: string, attempt: number): Promise<void> {
    // The channel renews without any database; where it is silent, the API does.
    if (attempt === 0 && this.#host.askChannel()) {
      this.#wait(expiresAt, 1);
      return;
    }
    try {
      await this.#host.askApi();
    } catch {
      if (!this.#closed) this.#wait(expiresAt, attempt + 1);
    }
  }
}
