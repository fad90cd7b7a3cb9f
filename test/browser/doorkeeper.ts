import type { Page, WebSocketRoute } from "playwright-core";

/** Stands between a page and its channel, and lets through what it is told to. */
export class Doorkeeper {
  /** The last hello that the page said. */
  hello = "";
  /** While set, the page's acknowledgements do not arrive. */
  withholdsAcks = false;
  /** While set, no new connection is let in; those that are there stay. */
  shut = false;
  readonly #sockets: WebSocketRoute[] = [];

  /** Has to be called before the page is opened. */
  static async at(page: Page): Promise<Doorkeeper> {
    const door = new Doorkeeper();
    await page.routeWebSocket(/\/channels\//, (socket) => door.#take(socket));
    return door;
  }

  /** Shuts the door, and cuts the connections that are there. */
  async cut(): Promise<void> {
    this.shut = true;
    for (const socket of this.#sockets.splice(0)) await socket.close({ code: 4000 });
  }

  /** Opens the page's channel a second time, as if the page had done so. */
  async repeatHello(): Promise<void> {
    const url = this.#sockets.at(-1)?.url() ?? "";
    const socket = new WebSocket(url);
    socket.addEventListener("open", () => socket.send(this.hello));
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("message", () => resolve(), { once: true });
      socket.addEventListener("error", () => reject(new Error("No channel.")));
    });
    socket.close();
  }

  async #take(socket: WebSocketRoute): Promise<void> {
    if (this.shut) return socket.close({ code: 4000 });
    this.#sockets.push(socket);
    const server = socket.connectToServer();
    socket.onMessage((message) => {
      const text = String(message);
      if (text.startsWith('{"type":"hello"')) this.hello = text;
      if (this.withholdsAcks && text.startsWith('{"type":"ack"')) return;
      server.send(message);
    });
  }
}
