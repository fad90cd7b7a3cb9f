import { DurableObject } from "cloudflare:workers";
import { callResults } from "#schema/agent/call-results.ts";
import type { CallAnswer, CallRequest } from "#schema/agent/calls.ts";
import type {
  HeartbeatRequest,
  PollResponse,
  ReportRequest,
} from "#schema/agent/control.ts";
import type { OutboxItem } from "#schema/agent/instructions.ts";
import type { Refusal } from "../broker/decision.ts";
import { configOf, type Env } from "../env.ts";
import { CallQueue } from "./call-queue.ts";
import { InstructionQueue } from "./instruction-queue.ts";
import { Lease } from "./lease.ts";
import { brokerOf } from "./names.ts";
import { NodeEvents } from "./node-events.ts";

/** What a registration hands to its node's mailbox. */
interface Registration {
  nodeId: string;
  epoch: number;
  outboxSeq: number;
  /** Where it may have other nodes send pipes; of old registrations unknown. */
  pipeAddress?: string;
}

export type PollAnswer =
  | { ok: true; body?: PollResponse }
  | { ok: false; refusal: Refusal };
export type ReportAnswer =
  | { ok: true; claims?: number }
  | { ok: false; refusal: Refusal };

const fenced: Refusal = {
  refusal: "node-fenced",
  detail: "A newer registration of this node, or the end of its lease: register again.",
};

/**
 * One per node: the node obeys. It hands instructions and calls to the agent's
 * long poll, takes its reports, and watches its lease.
 */
export class NodeMailbox extends DurableObject<Env> {
  #registration: Registration | undefined;
  #instructions: InstructionQueue | undefined;
  readonly #calls = new CallQueue();
  readonly #events: NodeEvents;
  readonly #lease: Lease;
  #tellPoll: (() => void) | undefined;
  /** Polls so far: only the newest is waited for by the agent. */
  #turn = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#lease = new Lease(Date.now(), lookEveryMs(env));
    this.#events = new NodeEvents(env, (work) => ctx.waitUntil(work));
    ctx.blockConcurrencyWhile(async () => {
      const known = await ctx.storage.get<Registration>("registration");
      if (known) this.#enter(known);
    });
  }

  /** A new registration: what waited for the old one is void. */
  async begin(registration: Registration): Promise<void> {
    await this.ctx.storage.put("registration", registration);
    this.#enter(registration);
    this.#calls.failAll("The node registered anew.");
    this.#instructions?.known(registration.outboxSeq);
    this.#lease.heard(Date.now());
    this.#wakePoll();
    await this.ctx.storage.setAlarm(Date.now() + lookEveryMs(this.env));
  }

  /** Instructions of a commit, pushed by the broker. */
  async deliver(items: OutboxItem[]): Promise<void> {
    this.#instructions?.push(items);
  }

  /**
   * Relays a call to the agent.
   * @param afterSeq the instruction that the agent has to apply before
   * @param deadlineMs milliseconds for the whole way there and back
   */
  async call(
    request: CallRequest,
    afterSeq: number,
    deadlineMs: number,
  ): Promise<CallAnswer> {
    if (!this.#registration) {
      const reason = "The node is not registered.";
      return { callId: "", ok: false, code: "gone", reason };
    }
    const { pipeAddress } = this.#registration;
    this.#instructions?.want(afterSeq);
    const answer = this.#calls.add(request, afterSeq, deadlineMs);
    this.#wakePoll();
    return pipesTo(pipeAddress, request, await answer);
  }

  /** The agent's long poll: held until there is something, or for some seconds. */
  async poll(epoch: number, ackSeq: number): Promise<PollAnswer> {
    if (!this.#heard(epoch)) return { ok: false, refusal: fenced };
    const instructions = this.#instructions as InstructionQueue;
    this.#turn += 1;
    const turn = this.#turn;
    this.#wakePoll();
    instructions.acknowledge(ackSeq);
    const { pollHoldMs } = configOf(this.env).settings.timing;
    const endMs = Date.now() + pollHoldMs;
    for (;;) {
      const body: PollResponse = {
        instructions: instructions.take(),
        calls: this.#calls.take(),
      };
      if (body.instructions.length > 0 || body.calls.length > 0)
        return { ok: true, body };
      const leftMs = endMs - Date.now();
      if (leftMs <= 0) return { ok: true };
      await this.#waitForWork(Math.min(leftMs, redeliveryMs));
      if (this.#registration?.epoch !== epoch) return { ok: false, refusal: fenced };
      // The agent has given this poll up: what it took would be lost.
      if (this.#turn !== turn) return { ok: true };
    }
  }

  /** Call answers, acknowledgements and events; events are passed on before it returns. */
  async report(epoch: number, report: ReportRequest): Promise<ReportAnswer> {
    if (!this.#heard(epoch)) return { ok: false, refusal: fenced };
    for (const answer of report.answers) this.#calls.settle(answer);
    this.#instructions?.acknowledge(report.ackSeq);
    const node = this.#registration as Registration;
    const refusal = await this.#events.passOn(node, report.events);
    if (refusal) return { ok: false, refusal };
    if (report.events.some(({ kind }) => kind === "node-left")) {
      await this.#end(epoch, "The node has left.");
    }
    return { ok: true };
  }

  /** The agent lives; answers how much the ledger has on it. */
  async heartbeat(epoch: number, heard: HeartbeatRequest): Promise<ReportAnswer> {
    if (!this.#heard(epoch)) return { ok: false, refusal: fenced };
    const { nodeId } = this.#registration as Registration;
    const { zone } = configOf(this.env);
    const answer = await brokerOf(this.env, zone).ask("nodeHeard", {
      nodeId,
      epoch,
      draining: heard.draining,
      egressKbps: heard.egressKbps,
      workers: heard.workers,
    });
    return answer.ok ? { ok: true, claims: answer.value.claims } : answer;
  }

  override async alarm(): Promise<void> {
    const registration = this.#registration;
    if (!registration) return;
    const { zone, settings } = configOf(this.env);
    const { nodeSuspectMs, nodeLeaseMs } = settings.timing;
    const broker = brokerOf(this.env, zone);
    // A node that was just heard costs no look at the database.
    const fresh = this.#lease.isFresh(Date.now());
    const couldHear = !fresh && (await broker.ready().catch(() => false));
    if (!fresh) this.#lease.look(Date.now(), couldHear);
    const { silentMs } = this.#lease;
    const { nodeId, epoch } = registration;
    if (couldHear && silentMs >= nodeSuspectMs) {
      const state = silentMs >= nodeLeaseMs ? "gone" : "suspect";
      // A broker that ends meanwhile must not cost this node its lease's clock.
      const asked = broker.ask("nodeSilent", { nodeId, epoch, state });
      const answer = await asked.catch(() => undefined);
      if (state === "gone" && answer?.ok && !answer.value.paused) {
        return this.#end(epoch, "The node's lease ended.");
      }
    }
    await this.ctx.storage.setAlarm(Date.now() + lookEveryMs(this.env));
  }

  #enter(registration: Registration): void {
    this.#registration = registration;
    const { nodeId } = registration;
    // Asked for each time: a stub whose object was aborted fails for ever.
    const broker = () => brokerOf(this.env, configOf(this.env).zone);
    this.#instructions = new InstructionQueue({
      read: (afterSeq) => broker().outboxAfter(nodeId, afterSeq),
      acknowledged: async (seq) => {
        const { ok } = await broker().ask("acknowledge", { nodeId, seq });
        // Told again later, or the rows would stay until something new comes.
        if (!ok) throw new Error("The broker could not take it.");
      },
      arrived: () => this.#wakePoll(),
    });
  }

  /** A registration is over: what it says is refused from now on. */
  async #end(epoch: number, reason: string): Promise<void> {
    if (this.#registration?.epoch !== epoch) return;
    this.#registration = undefined;
    this.#calls.failAll(reason);
    await this.ctx.storage.delete("registration");
  }

  #heard(epoch: number): boolean {
    if (this.#registration?.epoch !== epoch) return false;
    this.#lease.heard(Date.now());
    return true;
  }

  #wakePoll(): void {
    this.#tellPoll?.();
  }

  /** Waits until a poll is woken, or for `ms` milliseconds. */
  async #waitForWork(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#tellPoll = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }
}

/** An answer, unless it would have pipes sent where the node is not. */
function pipesTo(
  address: string | undefined,
  { op }: CallRequest,
  answer: CallAnswer,
): CallAnswer {
  if (op !== "open-pairs" || !answer.ok || address === undefined) return answer;
  const { endpoints } = callResults["open-pairs"].parse(answer.result);
  if (endpoints.every(({ ip }) => ip === address)) return answer;
  const reason = "The node answered with an address that it did not register with.";
  return { callId: answer.callId, ok: false, code: "failed", reason };
}

/** A silent node is looked for this often, in milliseconds. */
function lookEveryMs(env: Env): number {
  return Math.ceil(configOf(env).settings.timing.nodeSuspectMs / 3);
}

/** What was handed out and not answered is offered again after this. */
const redeliveryMs = 2000;
