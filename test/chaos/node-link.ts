import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** What may become of the answer to one poll. */
export type PollFate = "lose" | "double" | "late" | "shuffle";

interface Answer {
  /** Whose poll it answered: a registration's own. */
  bearer: string;
  status: number;
  type: string;
  body: string;
}

const lateMs = 1500;

/**
 * One host's way to control, over which everything that a network does may
 * happen to its requests and to the answers of its polls.
 */
export class NodeLink {
  readonly #controlUrl: () => string;
  readonly #server = createServer((request, response) => {
    this.#serve(request, response).catch(() => response.destroy());
  });
  /** What comes to the next polls that bring something, in turn. */
  readonly #fates: PollFate[] = [];
  readonly #again: Answer[] = [];
  #isCut = false;
  #isRefusing = false;

  constructor(controlUrl: () => string) {
    this.#controlUrl = controlUrl;
  }

  /** @returns the address to give to the agent as control's */
  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const { port } = this.#server.address() as { port: number };
    return `http://127.0.0.1:${port}`;
  }

  /** Whether everything that the host sends and should get disappears. */
  cut(isCut: boolean): void {
    this.#isCut = isCut;
  }

  /** Whether control's address answers nobody, as while it is away. */
  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
    if (isRefusing) this.#server.closeAllConnections();
  }

  /** Lets something happen to the next polls' answers that carry something. */
  disturb(fate: PollFate, times: number): void {
    for (let time = 0; time < times; time++) this.#fates.push(fate);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isRefusing) return void response.destroy();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    // A network that is cut says nothing: the caller has to give up by itself.
    if (this.#isCut) return;
    const path = request.url ?? "";
    const isPoll = path.endsWith("/poll");
    const bearer = request.headers.authorization ?? "";
    const again = isPoll ? this.#repeated(bearer) : undefined;
    const answer = again ?? (await this.#ask(request, path, Buffer.concat(chunks)));
    if (this.#isCut) return;
    if (isPoll && !again && answer.status === 200) {
      const isLost = await this.#disturbed(answer);
      if (isLost) return void response.destroy();
    }
    if (response.destroyed) return;
    response.writeHead(answer.status, { "content-type": answer.type });
    response.end(answer.status === 204 ? undefined : answer.body);
  }

  async #ask(request: IncomingMessage, path: string, body: Buffer): Promise<Answer> {
    const gone = new AbortController();
    const hangUp = () => gone.abort();
    request.socket.once("close", hangUp);
    const response = await fetch(new URL(path, this.#controlUrl()), {
      method: request.method ?? "POST",
      headers: {
        authorization: request.headers.authorization ?? "",
        "content-type": "application/json",
      },
      body: new Uint8Array(body),
      signal: gone.signal,
    });
    const text = await response.text();
    request.socket.off("close", hangUp);
    const type = response.headers.get("content-type") ?? "application/json";
    const bearer = request.headers.authorization ?? "";
    return { bearer, status: response.status, type, body: text };
  }

  /** An answer that comes once more, where it was this registration's. */
  #repeated(bearer: string): Answer | undefined {
    const answer = this.#again.shift();
    return answer?.bearer === bearer ? answer : undefined;
  }

  /** @returns whether the answer is lost on its way */
  async #disturbed(answer: Answer): Promise<boolean> {
    const fate = this.#fates.shift();
    switch (fate) {
      case "lose":
        return true;
      case "double":
        this.#again.push({ ...answer });
        return false;
      case "late":
        setTimeout(() => this.#again.push({ ...answer }), lateMs * 4).unref();
        await delay(lateMs);
        return false;
      case "shuffle": {
        const body = JSON.parse(answer.body) as { instructions: unknown[] };
        body.instructions = [...body.instructions, ...body.instructions].reverse();
        answer.body = JSON.stringify(body);
        return false;
      }
      case undefined:
        return false;
    }
  }
}
