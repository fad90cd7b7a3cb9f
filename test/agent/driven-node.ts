import { type CallResult, callResults } from "#schema/agent/call-results.ts";
import type { CallAnswer, CallOf, CallOp, CallRequest } from "#schema/agent/calls.ts";
import type {
  HeartbeatRequest,
  NodeEvent,
  RegisterRequest,
} from "#schema/agent/control.ts";
import type { Instruction, OutboxItem } from "#schema/agent/instructions.ts";
import { nodeIdOf, workerIdOf } from "#schema/ids.ts";
import { waitFor } from "#test/harness/wait-for.ts";

/** What the driver knows about one node in its present epoch. */
export class DrivenNode {
  readonly nodeId: string;
  readonly registration: RegisterRequest;
  readonly epoch: number;
  readonly events: NodeEvent[] = [];
  readonly heartbeats: HeartbeatRequest[] = [];
  readonly answers = new Map<string, CallAnswer>();
  /** Every answer as it came, repeated ones too. */
  readonly answersSeen: CallAnswer[] = [];
  ackSeq = 0;
  nextSeq = 1;
  claims = 0;
  fenced = false;
  /** The bearer of its present epoch. */
  credential: string;
  /** Takes the credential's place from the next heartbeat on. */
  nextCredential: string | undefined;
  #inbox: { instructions: unknown[]; calls: unknown[] } = { instructions: [], calls: [] };
  #wake: () => void = () => {};
  #pollTurn = 0;

  constructor(registration: RegisterRequest, epoch: number) {
    this.registration = registration;
    this.epoch = epoch;
    this.nodeId = nodeIdOf("t", registration.name);
    this.credential = `${this.nodeId}:${epoch}`;
  }

  /** The worker of an ordinal, as it was registered. */
  workerRef(ordinal: number) {
    const worker = this.registration.workers[ordinal];
    if (!worker) throw new RangeError(`No worker ${ordinal}.`);
    const workerId = workerIdOf(this.nodeId, ordinal);
    return { workerId, incarnation: worker.incarnation };
  }

  /** Hands raw items to the next poll, exactly as given. */
  push(items: { instructions?: unknown[]; calls?: unknown[] }): void {
    this.#inbox.instructions.push(...(items.instructions ?? []));
    this.#inbox.calls.push(...(items.calls ?? []));
    this.#wake();
  }

  /** Delivers instructions under fresh sequence numbers, in order. */
  instruct(...instructions: Instruction[]): OutboxItem[] {
    const items = instructions.map((instruction) => {
      const seq = this.nextSeq;
      this.nextSeq += 1;
      return { seq, instruction };
    });
    this.push({ instructions: items });
    return items;
  }

  /** Waits until the agent has acknowledged everything that was delivered. */
  async settled(): Promise<void> {
    await waitFor(() => this.ackSeq >= this.nextSeq - 1, { what: "acknowledgement" });
  }

  /** Delivers instructions and waits for their acknowledgement. */
  async apply(...instructions: Instruction[]): Promise<void> {
    this.instruct(...instructions);
    await this.settled();
  }

  /** Offers a call once and waits for its answer. */
  async call(
    request: CallRequest,
    options: { callId?: string; afterSeq?: number; deadlineMs?: number } = {},
  ): Promise<CallAnswer> {
    const callId = options.callId ?? `call_t_${Math.random().toString(36).slice(2)}`;
    const { afterSeq = this.nextSeq - 1, deadlineMs = 5000 } = options;
    this.push({ calls: [{ callId, deadlineMs, afterSeq, request }] });
    return waitFor(() => this.answers.get(callId), { what: `answer to ${request.op}` });
  }

  /** Calls and expects success; the result is held against its schema. */
  async ask<Op extends CallOp>(request: CallOf<Op>): Promise<CallResult<Op>> {
    const answer = await this.call(request);
    if (!answer.ok) throw new Error(`${request.op}: ${answer.code}: ${answer.reason}`);
    return callResults[request.op].parse(answer.result) as CallResult<Op>;
  }

  /** The events of a kind that came so far. */
  eventsOf<Kind extends NodeEvent["kind"]>(kind: Kind) {
    return this.events.filter((event) => event.kind === kind) as Extract<
      NodeEvent,
      { kind: Kind }
    >[];
  }

  async nextEvent<Kind extends NodeEvent["kind"]>(kind: Kind, timeoutMs = 10_000) {
    return waitFor(() => this.eventsOf(kind)[0], { what: `event ${kind}`, timeoutMs });
  }

  /** Takes what waits, or waits for it as long as a poll is held. */
  async poll(holdMs: number) {
    this.cutPoll();
    const turn = this.#pollTurn;
    if (this.#inbox.instructions.length + this.#inbox.calls.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, holdMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    if (turn !== this.#pollTurn) return { instructions: [], calls: [] };
    const taken = this.#inbox;
    this.#inbox = { instructions: [], calls: [] };
    return taken;
  }

  /** Ends the poll that is held: the newest wins, and a cut one takes nothing. */
  cutPoll(): void {
    this.#pollTurn += 1;
    this.#wake();
  }
}
