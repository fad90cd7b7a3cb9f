import { customAlphabet } from "nanoid";
import type { Call, CallAnswer, CallRequest } from "#schema/agent/calls.ts";

const newCallId = customAlphabet("0123456789abcdefghijklmnopqrstuvwxyz", 16);

/** A call handed to a poll and not answered is offered again after this. */
const reofferMs = 1000;

interface Pending {
  callId: string;
  request: CallRequest;
  afterSeq: number;
  deadlineAtMs: number;
  offeredAtMs: number;
  settle: (answer: CallAnswer) => void;
}

/** Calls on their way to one node, each until its answer or its deadline. */
export class CallQueue {
  readonly #pending = new Map<string, Pending>();

  /** Adds a call; the answer may say that the deadline passed. */
  add(request: CallRequest, afterSeq: number, deadlineMs: number): Promise<CallAnswer> {
    const callId = newCallId();
    return new Promise((resolve) => {
      const expire = setTimeout(() => {
        const reason = "The node did not answer in time.";
        this.settle({ callId, ok: false, code: "deadline", reason });
      }, deadlineMs);
      this.#pending.set(callId, {
        callId,
        request,
        afterSeq,
        deadlineAtMs: Date.now() + deadlineMs,
        offeredAtMs: 0,
        settle: (answer) => {
          clearTimeout(expire);
          resolve(answer);
        },
      });
    });
  }

  /** The calls to hand to a poll now. */
  take(): Call[] {
    const nowMs = Date.now();
    const calls: Call[] = [];
    for (const pending of this.#pending.values()) {
      if (nowMs - pending.offeredAtMs < reofferMs) continue;
      pending.offeredAtMs = nowMs;
      const { callId, request, afterSeq, deadlineAtMs } = pending;
      calls.push({
        callId,
        request,
        afterSeq,
        deadlineMs: Math.max(0, deadlineAtMs - nowMs),
      });
    }
    return calls;
  }

  /** An answer came; a second one, or one after the deadline, has no effect. */
  settle(answer: CallAnswer): void {
    const pending = this.#pending.get(answer.callId);
    this.#pending.delete(answer.callId);
    pending?.settle(answer);
  }

  failAll(reason: string): void {
    for (const { callId } of [...this.#pending.values()]) {
      this.settle({ callId, ok: false, code: "gone", reason });
    }
  }
}
