import { DurableObject } from "cloudflare:workers";

/** Hands whatever a socket says to every socket, and does nothing else. */
export class Echo extends DurableObject {
  async fetch() {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(_, text) {
    for (const socket of this.ctx.getWebSockets()) socket.send(text);
  }
}

export default {
  fetch(request, { ECHO }) {
    return ECHO.get(ECHO.idFromName(new URL(request.url).pathname)).fetch(request);
  },
};
