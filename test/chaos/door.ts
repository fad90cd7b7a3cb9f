import { once } from "node:events";
import { createServer, connect as dial, type Server, type Socket } from "node:net";

/**
 * The participants' way to control: a relay that can be shut for all, as while
 * control is away, and cut for one address, as when a network vanishes.
 */
export class Door {
  readonly #target: { host: string; port: number };
  readonly #cut = new Set<string>();
  readonly #open = new Map<Socket, string>();
  readonly #server: Server;
  #isShut = false;

  constructor(controlUrl: string) {
    const { hostname: host, port } = new URL(controlUrl);
    this.#target = { host, port: Number(port) };
    this.#server = createServer((socket) => this.#relay(socket));
  }

  /** @returns the port, on every loopback address */
  async listen(): Promise<number> {
    this.#server.listen(0, "0.0.0.0");
    await once(this.#server, "listening");
    return (this.#server.address() as { port: number }).port;
  }

  /** Ends every connection and refuses new ones. */
  shut(): void {
    this.#isShut = true;
    for (const socket of this.#open.keys()) socket.destroy();
  }

  reopen(): void {
    this.#isShut = false;
  }

  /** From now on nothing of this address comes through, nor is it told so. */
  cut(address: string): void {
    this.#cut.add(address);
    for (const [socket, of] of this.#open) if (of === address) socket.pause();
  }

  async close(): Promise<void> {
    this.shut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #relay(client: Socket): void {
    const address = client.localAddress ?? "";
    if (this.#isShut || !client.remoteAddress?.startsWith("127.")) {
      client.destroy();
      return;
    }
    this.#open.set(client, address);
    client.on("error", () => undefined);
    client.once("close", () => this.#open.delete(client));
    if (this.#cut.has(address)) return void client.pause();
    const control = dial(this.#target);
    control.on("error", () => client.destroy());
    control.once("close", () => client.destroy());
    control.on("data", (bytes) => {
      if (!this.#cut.has(address)) client.write(bytes);
    });
    client.on("data", (bytes) => {
      if (!this.#cut.has(address)) control.write(bytes);
    });
    client.once("close", () => control.destroy());
  }
}
