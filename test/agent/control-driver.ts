import { createPublicKey, randomUUID, verify } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  challengeRequest,
  heartbeatRequest,
  pollRequest,
  type ReportRequest,
  registerRequest,
  reportRequest,
} from "#schema/agent/control.ts";
import { proofText } from "#schema/agent/proof.ts";
import { nodeIdOf, nodeIdOfWorker } from "#schema/ids.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import { DrivenNode } from "./driven-node.ts";

export const nodeKey = "zone-node-key-for-tests";

/** The other end of the wire, driven by a test: it decides nothing by itself. */
export class ControlDriver {
  readonly nodes = new Map<string, DrivenNode>();
  heartbeatMs = 200;
  pollHoldMs = 2000;
  overBitrateFactor = 1.5;
  registrations = 0;
  /** Looks at each report before it is taken; what it throws refuses it. */
  onReport: (report: ReportRequest) => void | Promise<void> = () => {};
  /** Says of each report whether it fails as if control had an ill moment. */
  failReports: () => boolean = () => false;
  /** Whether held legs are started for those who report that they want them. */
  startsLegs = true;
  readonly #challenges = new Set<string>();
  #port = 0;
  #server = createServer();

  /** Where agents find it. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Comes up, on the port that it had before. */
  async start(): Promise<void> {
    this.#server = createServer((request, response) => {
      void this.#serve(request, response);
    });
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Goes down hard: connections are cut, the port refuses. */
  async stop(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    for (const node of this.nodes.values()) node.cutPoll();
    await closed;
  }

  /** The node of a name, once it registered with at least this epoch. */
  async node(name: string, epoch = 1): Promise<DrivenNode> {
    return waitFor(
      () => {
        const node = this.nodes.get(name);
        return node && node.epoch >= epoch ? node : undefined;
      },
      { what: `registration of ${name} with epoch ${epoch}` },
    );
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    const bearer = request.headers.authorization?.replace("Bearer ", "") ?? "";
    const route = request.url?.replace("/v1/agent/", "");
    try {
      const answer = await this.#route(route, bearer, body);
      response.statusCode = answer === undefined ? 204 : 200;
      response.end(answer === undefined ? undefined : JSON.stringify(answer));
    } catch (error) {
      const { status, code } = problemOf(error);
      const detail = (error as Error).message;
      response.statusCode = status;
      response.setHeader("content-type", "application/problem+json");
      response.end(
        JSON.stringify({ type: "about:blank", title: code, status, code, detail }),
      );
    }
  }

  async #route(
    route: string | undefined,
    bearer: string,
    body: unknown,
  ): Promise<unknown> {
    if (route === "challenge") return this.#challenge(bearer, body);
    if (route === "register") return this.#register(bearer, body);
    const node = [...this.nodes.values()].find(
      (one) => one.credential === bearer || one.nextCredential === bearer,
    );
    if (!node || node.fenced) throw new Fenced("Register again.");
    switch (route) {
      case "poll": {
        node.ackSeq = Math.max(node.ackSeq, pollRequest.parse(body).ackSeq);
        const taken = await node.poll(this.pollHoldMs);
        return taken.instructions.length + taken.calls.length > 0 ? taken : undefined;
      }
      case "report": {
        const report = reportRequest.parse(body);
        await this.onReport(report);
        if (this.failReports()) throw new IllMoment("Try again.");
        node.ackSeq = Math.max(node.ackSeq, report.ackSeq);
        for (const answer of report.answers) {
          node.answersSeen.push(answer);
          node.answers.set(answer.callId, answer);
        }
        node.events.push(...report.events);
        if (this.startsLegs) this.#startLegs(report);
        return {};
      }
      case "heartbeat":
        node.heartbeats.push(heartbeatRequest.parse(body));
        return { claims: node.claims, credential: node.nextCredential };
      default:
        throw new Error(`no route ${route}`);
    }
  }

  #startLegs({ events }: ReportRequest): void {
    for (const event of events) {
      if (event.kind !== "legs-wanted") continue;
      for (const pipe of event.pipes) {
        const nodeId = nodeIdOfWorker(pipe.producer.workerId);
        const node = [...this.nodes.values()].find((one) => one.nodeId === nodeId);
        void node?.call({ op: "start-legs", pipes: [pipe] });
      }
    }
  }

  #challenge(bearer: string, body: unknown): unknown {
    if (bearer !== nodeKey) throw new Error("wrong node key");
    const { name } = challengeRequest.parse(body);
    const challenge = randomUUID();
    this.#challenges.add(challenge);
    return { zone: "t", nodeId: nodeIdOf("t", name), challenge, expiresInMs: 60_000 };
  }

  #register(bearer: string, body: unknown): unknown {
    if (bearer !== nodeKey) throw new Error("wrong node key");
    const registration = registerRequest.parse(body);
    const { name, publicKey, challenge, signature } = registration;
    if (!this.#challenges.delete(challenge)) throw new Error("no such challenge");
    const key = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: publicKey },
      format: "jwk",
    });
    const signed = proofText({ zone: "t", nodeId: nodeIdOf("t", name), challenge });
    const proven = verify(null, signed, key, Buffer.from(signature, "base64url"));
    if (!proven) throw new Error("not signed by this key");
    const node = new DrivenNode(registration, (this.nodes.get(name)?.epoch ?? 0) + 1);
    this.nodes.set(name, node);
    this.registrations += 1;
    return {
      nodeId: node.nodeId,
      epoch: node.epoch,
      credential: node.credential,
      outboxSeq: 0,
      heartbeatMs: this.heartbeatMs,
      pollHoldMs: this.pollHoldMs,
      overBitrateFactor: this.overBitrateFactor,
    };
  }
}

class Fenced extends Error {}
class IllMoment extends Error {}

function problemOf(error: unknown): { status: number; code: string } {
  if (error instanceof Fenced) return { status: 409, code: "node-fenced" };
  if (error instanceof IllMoment) return { status: 503, code: "unavailable" };
  return { status: 422, code: "validation-failed" };
}
