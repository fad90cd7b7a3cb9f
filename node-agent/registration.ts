import type { Logger } from "pino";
import type { HeartbeatRequest, RegisterResponse } from "#schema/agent/control.ts";
import { CallDesk, type CallObserver } from "./calls/desk.ts";
import type { AgentConfig } from "./config.ts";
import { applyInstruction } from "./instructions/apply.ts";
import { Generations } from "./instructions/generations.ts";
import { Inbox } from "./instructions/inbox.ts";
import { type ControlClient, FencedError, isUnreadable } from "./link/control-client.ts";
import { pollLoop } from "./link/poll-loop.ts";
import { Reporter } from "./link/reporter.ts";
import { retryForever } from "./link/retry.ts";
import { refOf } from "./media/context.ts";
import { Media } from "./media/media.ts";
import type { WorkerPool } from "./media/worker-pool.ts";
import type { Sampler } from "./sampler.ts";
import type { Timing } from "./timing.ts";

/** What one registration is made of. */
export interface RegistrationParts {
  answer: RegisterResponse;
  config: AgentConfig;
  timing: Timing;
  log: Logger;
  client: ControlClient;
  pool: WorkerPool;
  sampler: Sampler;
  isDraining: () => boolean;
  observeCall: CallObserver;
  onPollError: () => void;
}

/**
 * The time between being registered and being fenced: one epoch, with its
 * media, its instructions and what is still to be reported.
 */
export class Registration {
  readonly media: Media;
  readonly inbox: Inbox;
  readonly reporter: Reporter;
  readonly answer: RegisterResponse;
  /** Claims that control had on this node at the last heartbeat. */
  claims: number | undefined;
  /** Control has no claim left, and knew that the agent is draining. */
  drained = false;
  /** What proves this registration; heartbeats may bring another. */
  #credential: string;
  readonly #parts: RegistrationParts;
  readonly #desk: CallDesk;
  readonly #ending = new AbortController();
  #beat: () => void = () => {};

  constructor(parts: RegistrationParts) {
    const { answer, config, timing, log, pool } = parts;
    this.#parts = parts;
    this.answer = answer;
    this.#credential = answer.credential;
    this.reporter = new Reporter({
      send: (body) =>
        this.#retry("report", () =>
          parts.client.report(this.#credential, body, this.#ending.signal),
        ),
      ackSeq: () => this.inbox.ackSeq,
      log,
    });
    this.media = new Media({
      nodeId: answer.nodeId,
      config,
      timing,
      overBitrateFactor: answer.overBitrateFactor,
      log,
      pool,
      generations: new Generations(),
      emit: (event) => this.reporter.emit(event),
    });
    this.inbox = new Inbox(answer.outboxSeq, (instruction) =>
      applyInstruction(this.media, instruction),
    );
    this.#desk = new CallDesk({
      media: this.media,
      inbox: this.inbox,
      log,
      answerKeepMs: timing.answerKeepMs,
      answer: (callAnswer) => this.reporter.answer(callAnswer),
      observe: parts.observeCall,
    });
  }

  /**
   * Serves control until the registration ends, then closes its media.
   * @param signal ends it from outside, when the agent leaves
   */
  async serve(signal: AbortSignal): Promise<void> {
    const end = () => this.#ending.abort();
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
    try {
      await Promise.all([this.#poll(), this.#beatLoop()]);
    } catch (error) {
      if (!(error instanceof FencedError) && !this.#ending.signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", end);
      end();
      this.reporter.stop();
      this.media.close();
    }
  }

  /** Tells control that nothing more comes; tried once, within `goodbyeMs`. */
  async sayGoodbye(): Promise<void> {
    const { client, timing, log } = this.#parts;
    const ackSeq = this.inbox.ackSeq;
    const body = { ackSeq, answers: [], events: [{ kind: "node-left" as const }] };
    const signal = AbortSignal.any([
      this.#ending.signal,
      AbortSignal.timeout(timing.goodbyeMs),
    ]);
    try {
      await client.report(this.#credential, body, signal);
    } catch (error) {
      log.warn({ reason: String(error) }, "left without a goodbye");
    }
  }

  /** Sends a heartbeat now, such as to say that the agent is draining. */
  beatNow(): void {
    this.#beat();
  }

  async #poll(): Promise<void> {
    const { client, log } = this.#parts;
    const { pollHoldMs } = this.answer;
    const { signal } = this.#ending;
    const { inbox, reporter } = this;
    const poll = (ackSeq: number) =>
      this.#retry("poll", () =>
        client.poll(this.#credential, ackSeq, pollHoldMs, signal),
      );
    await pollLoop({ poll, inbox, desk: this.#desk, reporter, log, signal });
  }

  async #beatLoop(): Promise<void> {
    const { client, sampler, log, timing } = this.#parts;
    const { heartbeatMs } = this.answer;
    const { signal } = this.#ending;
    // A beat that hangs must not cost the ones after it.
    const timeoutMs = Math.min(timing.requestTimeoutMs, Math.max(heartbeatMs, 1000));
    while (!signal.aborted) {
      // Not awaited: a worker that is too busy to answer must not cost the lease.
      sampler.measure(this.media);
      const next = this.#untilNextBeat(heartbeatMs);
      let failed = false;
      try {
        const body = this.#heartbeat();
        const heard = await client.heartbeat(this.#credential, body, timeoutMs, signal);
        this.claims = heard.claims;
        this.drained = body.draining && heard.claims === 0;
        this.#credential = heard.credential ?? this.#credential;
      } catch (error) {
        if (error instanceof FencedError) {
          this.#ending.abort();
          throw error;
        }
        // The next beat is the next attempt; media goes on meanwhile.
        if (!signal.aborted) log.warn({ reason: String(error) }, "heartbeat failed");
        failed = true;
      }
      await next;
      // A fleet whose control was away must not beat in one moment from then on.
      if (failed) await this.#untilNextBeat(Math.random() * heartbeatMs);
    }
  }

  #untilNextBeat(waitMs: number): Promise<void> {
    const { signal } = this.#ending;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      signal.addEventListener("abort", done);
      this.#beat = done;
    });
  }

  #heartbeat(): HeartbeatRequest {
    const { pool, sampler, isDraining } = this.#parts;
    const staleMs = this.answer.heartbeatMs * 3;
    const workers = pool.lives.map((life) => ({
      ...refOf(this.media.context, life),
      cpuPercent: sampler.cpuPercent(life, staleMs),
    }));
    return { workers, ...sampler.traffic, draining: isDraining() };
  }

  async #retry<Result>(
    what: "poll" | "report",
    attempt: () => Promise<Result>,
  ): Promise<Result> {
    const { timing, log, onPollError } = this.#parts;
    const { signal } = this.#ending;
    const onFailure = what === "poll" ? onPollError : undefined;
    const isFinal = what === "report" ? isUnreadable : undefined;
    try {
      return await retryForever(
        { what, timing, log, signal, onFailure, isFinal },
        attempt,
      );
    } catch (error) {
      // Whichever request is told first ends the registration for all of them.
      if (!isFinal?.(error)) this.#ending.abort();
      throw error;
    }
  }
}
