import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Agent } from "./agent.ts";
import { stateOf } from "./state.ts";

/**
 * Health, metrics and state over HTTP, on loopback only: a media host offers
 * the network nothing but its media ports.
 */
export class StatusServer {
  readonly #agent: Agent;
  #server: Server | undefined;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  /** The port listened on, or undefined while off. */
  get port(): number | undefined {
    return (this.#server?.address() as AddressInfo | null)?.port;
  }

  /**
   * Starts to listen, unless the settings turn it off.
   * @throws Error where the port is taken
   */
  async start(): Promise<void> {
    const { metricsPort } = this.#agent.config;
    if (metricsPort === 0) return;
    const server = createServer((request, response) => {
      this.#answer(request.url ?? "", response).catch((error: unknown) => {
        response.statusCode = 500;
        response.end(String(error));
      });
    });
    server.listen(metricsPort, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
  }

  /** Stops listening and cuts the connections there are. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async #answer(url: string, response: ServerResponse): Promise<void> {
    const { registry } = this.#agent.metrics;
    switch (url) {
      case "/healthz": {
        const { healthy } = this.#agent;
        response.statusCode = healthy ? 200 : 503;
        response.end(healthy ? "ok\n" : "control was not heard of late\n");
        return;
      }
      case "/metrics":
        response.setHeader("content-type", registry.contentType);
        response.end(await registry.metrics());
        return;
      case "/state":
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(await stateOf(this.#agent), undefined, 2));
        return;
      default:
        response.statusCode = 404;
        response.end("There are /healthz, /metrics and /state.\n");
    }
  }
}
