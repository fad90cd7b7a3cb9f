import type { Logger } from "pino";
import { callResults } from "#schema/agent/call-results.ts";
import type { Call, CallAnswer, CallRequest } from "#schema/agent/calls.ts";
import type { Inbox } from "../instructions/inbox.ts";
import type { Media } from "../media/media.ts";
import { CallError } from "./call-error.ts";

/** How long a call took, for the metrics. */
export type CallObserver = (op: string, outcome: string, durationMs: number) => void;

interface Kept {
  answer: CallAnswer;
  /** Milliseconds of uptime at which the answer may be forgotten. */
  forgetAtMs: number;
}

interface DeskParts {
  media: Media;
  inbox: Inbox;
  log: Logger;
  answerKeepMs: number;
  answer: (answer: CallAnswer) => void;
  observe: CallObserver;
}

/**
 * Takes calls in and sees that each is executed once, however often it is
 * offered, and answered each time that it is offered after it was done.
 */
export class CallDesk {
  readonly #parts: DeskParts;
  readonly #running = new Set<string>();
  /** Answers in the order in which they were given. */
  readonly #kept = new Map<string, Kept>();

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /**
   * Takes one offered call; the answer goes out by itself when it is there.
   * @returns false where the call is known already
   */
  take(call: Call): boolean {
    this.#forget();
    const kept = this.#kept.get(call.callId);
    if (kept) this.#parts.answer(kept.answer);
    if (kept || this.#running.has(call.callId)) return false;
    this.#running.add(call.callId);
    void this.#execute(call);
    return true;
  }

  async #execute(call: Call): Promise<void> {
    const startedMs = performance.now();
    const answer = await this.#answerTo(call);
    const durationMs = performance.now() - startedMs;
    const outcome = answer.ok ? "ok" : answer.code;
    this.#parts.observe(call.request.op, outcome, durationMs);
    const forgetAtMs = performance.now() + this.#parts.answerKeepMs;
    this.#running.delete(call.callId);
    this.#kept.set(call.callId, { answer, forgetAtMs });
    this.#parts.answer(answer);
  }

  async #answerTo(call: Call): Promise<CallAnswer> {
    const { callId, afterSeq, deadlineMs, request } = call;
    const { inbox, media, log } = this.#parts;
    try {
      if (!(await inbox.applied(afterSeq, Math.max(deadlineMs, 0)))) {
        throw new CallError("deadline", `Instruction ${afterSeq} did not come in time.`);
      }
      const result = await handle(media, request);
      return { callId, ok: true, result };
    } catch (error) {
      const code = error instanceof CallError ? error.code : "failed";
      const message = error instanceof Error ? error.message : "The call failed.";
      const reason = message.slice(0, 500);
      log.warn({ callId, op: request.op, code, reason }, "call refused");
      return { callId, ok: false, code, reason };
    }
  }

  #forget(): void {
    const nowMs = performance.now();
    for (const [callId, kept] of this.#kept) {
      if (kept.forgetAtMs > nowMs) return;
      this.#kept.delete(callId);
    }
  }
}

async function handle(media: Media, request: CallRequest): Promise<unknown> {
  // The handlers' table is typed by operation, which an index cannot follow.
  const handler = media.handlers[request.op] as (call: CallRequest) => Promise<unknown>;
  return callResults[request.op].parse(await handler(request));
}
