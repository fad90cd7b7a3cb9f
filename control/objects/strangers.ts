import { attachmentOf } from "./channel-sockets.ts";

/**
 * The sockets of a channel that have not said hello, by the address from which
 * they came. Anyone may open one, so they are few of each address, and soon gone.
 * It is only memory: an object that woke fills it again from the attachments.
 */
export class Strangers {
  readonly #byAddress = new Map<string, Set<WebSocket>>();
  readonly #addressOf = new Map<WebSocket, string>();
  readonly #max: number;

  /** @param max sockets of one address at once */
  constructor(sockets: Iterable<WebSocket>, max: number) {
    this.#max = max;
    for (const socket of sockets) {
      const { sessionId, address } = attachmentOf(socket) ?? {};
      if (!sessionId && address !== undefined) this.add(socket, address);
    }
  }

  /** Whether one more of an address may come. */
  hasRoom(address: string): boolean {
    return (this.#byAddress.get(address)?.size ?? 0) < this.#max;
  }

  add(socket: WebSocket, address: string): void {
    const known = this.#byAddress.get(address);
    if (known) known.add(socket);
    else this.#byAddress.set(address, new Set([socket]));
    this.#addressOf.set(socket, address);
  }

  /** It said who it is, or is gone. */
  drop(socket: WebSocket): void {
    const address = this.#addressOf.get(socket);
    if (address === undefined) return;
    this.#addressOf.delete(socket);
    const known = this.#byAddress.get(address);
    known?.delete(socket);
    if (known?.size === 0) this.#byAddress.delete(address);
  }
}
