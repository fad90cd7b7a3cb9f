import type { Page, WebSocketRoute } from "playwright-core";

/** Stands between a page and its channel, and lets nothing through while shut. */
export class Doorkeeper {
  #sockets: WebSocketRoute[] = [];
  #shut = false;

  /** Has to be called before the page is opened. */
  static async at(page: Page): Promise<Doorkeeper> {
    const door = new Doorkeeper();
    await page.routeWebSocket(/\/channels\//, (socket) => door.#take(socket));
    return door;
  }

  /** Cuts the connection, and every other one until the door is opened. */
  async shut(): Promise<void> {
    this.#shut = true;
    for (const socket of this.#sockets.splice(0)) await socket.close({ code: 4000 });
  }

  async open(): Promise<void> {
    this.#shut = false;
  }

  async #take(socket: WebSocketRoute): Promise<void> {
    if (this.#shut) return socket.close({ code: 4000 });
    socket.connectToServer();
    this.#sockets.push(socket);
  }
}
