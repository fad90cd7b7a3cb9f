import type { Logger } from "pino";
import type { CallAnswer } from "#schema/agent/calls.ts";
import type { NodeEvent, ReportRequest } from "#schema/agent/control.ts";
import { RefusedError } from "./control-client.ts";

interface ReporterParts {
  /**
   * Sends one report, trying again until it is taken; rejects with a
   * RefusedError where control cannot read it, and with others once fenced.
   */
  send: (body: ReportRequest) => Promise<void>;
  log: Logger;
  ackSeq: () => number;
}

// A report that hangs must not hold up the answers that come after it.
const lanes = 4;
const itemsPerReport = 500;

/**
 * Carries answers and events to control. What waits goes together; an item is
 * let go only when a report with it was taken. Events keep their order, but for
 * those that pictures wait for: these pass the others.
 */
export class Reporter {
  readonly #parts: ReporterParts;
  readonly #answers = new Map<string, CallAnswer>();
  #events: NodeEvent[] = [];
  #urgent: NodeEvent[] = [];
  #busyLanes = 0;
  #eventsUnderway = false;
  #stopped = false;
  #scheduled = false;

  constructor(parts: ReporterParts) {
    this.#parts = parts;
  }

  /** Answers and events that wait to be sent. */
  get waiting(): number {
    return this.#answers.size + this.#events.length + this.#urgent.length;
  }

  /** Reports an answer; a newer one to the same call takes its place. */
  answer(answer: CallAnswer): void {
    this.#answers.set(answer.callId, answer);
    this.#schedule();
  }

  /** Reports an event, after all earlier ones unless it is urgent. */
  emit(event: NodeEvent): void {
    const list = event.kind === "legs-wanted" ? this.#urgent : this.#events;
    list.push(event);
    this.#schedule();
  }

  /** Sends nothing more: the registration is over. */
  stop(): void {
    this.#stopped = true;
    this.#answers.clear();
    this.#events = [];
    this.#urgent = [];
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // What happens in the same turn goes in the same report.
    setImmediate(() => {
      this.#scheduled = false;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    if (this.#stopped || this.#busyLanes >= lanes) return;
    const answers = [...this.#answers.values()].slice(0, itemsPerReport);
    const urgent = this.#urgent.slice(0, itemsPerReport);
    const ordered = this.#eventsUnderway ? [] : this.#events.slice(0, itemsPerReport);
    const events = [...urgent, ...ordered];
    if (answers.length + events.length === 0) return;
    for (const { callId } of answers) this.#answers.delete(callId);
    this.#urgent = this.#urgent.slice(urgent.length);
    this.#events = this.#events.slice(ordered.length);
    this.#busyLanes += 1;
    if (ordered.length > 0) this.#eventsUnderway = true;
    try {
      await this.#send(answers, events);
    } catch {
      // The sender gives up only once fenced, and then nothing counts any more.
      this.stop();
    } finally {
      this.#busyLanes -= 1;
      if (ordered.length > 0) this.#eventsUnderway = false;
    }
    if (this.waiting > 0) this.#schedule();
  }

  async #send(answers: CallAnswer[], events: NodeEvent[]): Promise<void> {
    try {
      await this.#parts.send({ ackSeq: this.#parts.ackSeq(), answers, events });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      if (answers.length + events.length === 1) {
        const { message: reason } = error;
        const callId = answers[0]?.callId;
        this.#parts.log.error({ callId, kind: events[0]?.kind, reason }, "not reported");
        return;
      }
      // One item that control cannot read must not take the others with it.
      for (const answer of answers) await this.#send([answer], []);
      for (const event of events) await this.#send([], [event]);
    }
  }
}
