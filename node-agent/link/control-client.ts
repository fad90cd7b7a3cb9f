import type { z } from "zod";
import {
  challengeResponse,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type HostDescription,
  heartbeatResponse,
  type RegisterRequest,
  type RegisterResponse,
  type ReportRequest,
  registerResponse,
} from "#schema/agent/control.ts";
import { problemBody } from "#schema/problems.ts";
import type { NodeKey } from "../node-key.ts";

/** Control has ended this registration: everything said under it is over. */
export class FencedError extends Error {
  override name = "FencedError";
}

/** Control answered, but not with success. */
export class RefusedError extends Error {
  override name = "RefusedError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string) {
    super(`control answered ${status} ${code}: ${detail}`);
    this.status = status;
    this.code = code;
  }
}

/** Whether control can make nothing of a body, however often it comes. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof RefusedError && [400, 413, 422].includes(error.status);
}

interface ClientParts {
  controlUrl: string;
  requestTimeoutMs: number;
  /** Called at every answer that control gave, whatever it says. */
  onHeard: () => void;
}

/** The agent's side of control's API, one method per route. */
export class ControlClient {
  readonly #parts: ClientParts;

  constructor(parts: ClientParts) {
    this.#parts = parts;
  }

  /**
   * Registers the node with the zone's node key: asks for a challenge and signs it.
   * @throws RefusedError where control refuses, TypeError or a timeout where it
   *   cannot be reached
   */
  async register(
    nodeKey: string,
    own: Pick<NodeKey, "publicKey" | "sign">,
    host: HostDescription,
    signal: AbortSignal,
  ): Promise<RegisterResponse> {
    const timeoutMs = this.#parts.requestTimeoutMs;
    const { name } = host;
    const asked = await this.#post("challenge", nodeKey, { name }, timeoutMs, signal);
    const proof = await this.#read(asked, challengeResponse);
    const { publicKey } = own;
    const signature = own.sign(proof);
    const { challenge } = proof;
    const body: RegisterRequest = { ...host, publicKey, challenge, signature };
    const response = await this.#post("register", nodeKey, body, timeoutMs, signal);
    return this.#read(response, registerResponse);
  }

  /**
   * Asks for instructions and calls; control holds the request for a while.
   * @returns the body as it came, or undefined where nothing was there
   * @throws FencedError where the registration is over
   */
  async poll(
    credential: string,
    ackSeq: number,
    holdMs: number,
    signal: AbortSignal,
  ): Promise<unknown> {
    const timeoutMs = holdMs + this.#parts.requestTimeoutMs;
    const body = { ackSeq };
    const response = await this.#fenced("poll", credential, body, timeoutMs, signal);
    if (response.status !== 204) return response.json();
    await response.body?.cancel();
    return undefined;
  }

  /** @throws FencedError where the registration is over */
  async report(
    credential: string,
    body: ReportRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const timeoutMs = this.#parts.requestTimeoutMs;
    const response = await this.#fenced("report", credential, body, timeoutMs, signal);
    await response.body?.cancel();
  }

  /**
   * Says that the agent lives.
   * @param timeoutMs after which the next beat is the better attempt
   * @returns the claims that control still has on this node, and now and then a
   *   credential to go on with
   * @throws FencedError where the registration is over
   */
  async heartbeat(
    credential: string,
    body: HeartbeatRequest,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<HeartbeatResponse> {
    const response = await this.#fenced("heartbeat", credential, body, timeoutMs, signal);
    return this.#read(response, heartbeatResponse);
  }

  async #fenced(
    route: string,
    credential: string,
    body: unknown,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Response> {
    try {
      return await this.#post(route, credential, body, timeoutMs, signal);
    } catch (error) {
      const refused = error instanceof RefusedError;
      if (refused && (error.status === 401 || error.code === "node-fenced")) {
        throw new FencedError(error.message);
      }
      throw error;
    }
  }

  async #post(
    route: string,
    bearer: string,
    body: unknown,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<Response> {
    const response = await fetch(`${this.#parts.controlUrl}/v1/agent/${route}`, {
      method: "POST",
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      redirect: "error",
    });
    this.#parts.onHeard();
    if (response.ok) return response;
    const problem = problemBody.safeParse(await response.json().catch(() => undefined));
    const { code, detail, title } = problem.success
      ? problem.data
      : { code: "unknown", detail: undefined, title: response.statusText };
    throw new RefusedError(response.status, code, detail ?? title);
  }

  async #read<Body>(response: Response, schema: z.ZodType<Body>): Promise<Body> {
    return schema.parse(await response.json());
  }
}
