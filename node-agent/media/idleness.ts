import type { ClientTransport } from "./transports.ts";

interface IdlenessParts {
  /** Milliseconds that a transport may be idle. */
  idleTransportMs: number;
  /** Whether anything uses the transport. */
  isUsed: (transport: ClientTransport) => boolean;
  close: (transport: ClientTransport) => void;
}

/** Closes receiving transports that nothing has used for a while. */
export class Idleness {
  readonly #parts: IdlenessParts;
  readonly #timers = new Map<ClientTransport, NodeJS.Timeout>();
  /** Ids of transports on which something is at work: not idle, used or not. */
  readonly #busy = new Map<string, number>();

  constructor(parts: IdlenessParts) {
    this.#parts = parts;
  }

  /** Does work for which a transport has to stay, whether it is there yet or not. */
  async during<Result>(
    transportId: string,
    work: () => Promise<Result>,
  ): Promise<Result> {
    this.#busy.set(transportId, (this.#busy.get(transportId) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const others = (this.#busy.get(transportId) ?? 1) - 1;
      if (others > 0) this.#busy.set(transportId, others);
      else this.#busy.delete(transportId);
    }
  }

  /** Something has changed on a transport: it may be idle from now on. */
  check(transport: ClientTransport): void {
    this.forget(transport);
    const { idleTransportMs, isUsed, close } = this.#parts;
    if (transport.webRtc.closed || isUsed(transport)) return;
    const timer = setTimeout(() => {
      const idle = !isUsed(transport) && !this.#busy.has(transport.id);
      if (idle) close(transport);
    }, idleTransportMs);
    this.#timers.set(transport, timer);
  }

  /** The transport is closed. */
  forget(transport: ClientTransport): void {
    clearTimeout(this.#timers.get(transport));
    this.#timers.delete(transport);
  }
}
