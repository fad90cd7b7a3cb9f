import { Agent, request } from "node:http";

/** A request as it goes over the wire: nothing of it is put right on the way. */
export interface RawRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Buffer;
}

export interface RawAnswer {
  status: number;
  contentType: string;
  text: string;
}

/** Sends requests over a few connections that stay open. */
export class RawClient {
  readonly #origin: URL;
  readonly #agent: Agent;

  readonly #localAddress: string | undefined;

  /**
   * @param connections how many requests may be under way at once
   * @param localAddress the loopback address to call from. Default 127.0.0.1
   */
  constructor(origin: string, connections: number, localAddress?: string) {
    this.#localAddress = localAddress;
    this.#origin = new URL(origin);
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  send(raw: RawRequest): Promise<RawAnswer> {
    const { method, path, headers, body } = raw;
    const { hostname, port } = this.#origin;
    return new Promise((resolve, reject) => {
      const agent = this.#agent;
      const localAddress = this.#localAddress;
      const options = { hostname, port, method, path, headers, agent, localAddress };
      const outgoing = request(options, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () =>
          resolve({
            status: incoming.statusCode ?? 0,
            contentType: incoming.headers["content-type"] ?? "",
            text: Buffer.concat(chunks).toString(),
          }),
        );
      });
      outgoing.on("error", (error) => {
        // The other side may close a connection that was idle, just as it is used
        // again: only on a new one would that be an answer.
        if (outgoing.reusedSocket) this.send(raw).then(resolve, reject);
        else reject(error);
      });
      // A GET with a body is what Node would otherwise send in chunks.
      if (body !== undefined)
        outgoing.setHeader("content-length", Buffer.byteLength(body));
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
