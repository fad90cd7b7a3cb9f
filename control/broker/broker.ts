import type { Client } from "@libsql/client/web";
import type { OutboxItem } from "#schema/agent/instructions.ts";
import type { Settings } from "#schema/settings.ts";
import { commit } from "../ledger/commit.ts";
import { fenceZone, loadZone } from "../ledger/load.ts";
import { loadRooms } from "../ledger/load-rooms.ts";
import type { DecisionInput, DecisionName, DecisionOutput } from "./decisions.ts";
import { Draft } from "./draft.ts";
import {
  type Answer,
  busy,
  decideOne,
  type IdempotencyScope,
  missingRooms,
  unavailable,
  type Waiting,
} from "./requests.ts";
import type { ZoneState } from "./state.ts";
import type { RoomNews } from "./telling.ts";

/** What a commit has to tell others, in order. */
export interface Committed {
  instructions: ReadonlyMap<string, OutboxItem[]>;
  news: ReadonlyMap<string, RoomNews>;
  state: ZoneState;
}

export interface BrokerOptions {
  zone: string;
  client: Client;
  settings: Settings;
  /** Milliseconds since 1970; time comes from outside, so that tests own it. */
  now: () => number;
  /** Called after each commit, before its answers leave. */
  onCommitted: (committed: Committed) => void;
  /** Called when the earliest deadline changed; undefined: there is none. */
  onDeadline: (atMs: number | undefined) => void;
  /** Called for what an operator has to know of. */
  onAlert: (what: string, details: Record<string, unknown>) => void;
}

/**
 * The one writer of a zone's control database. Requests are decided in memory,
 * first in, first out; what arrives while a commit is under way goes together
 * into the next one. An answer leaves only after the commit that it was
 * computed on.
 */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #queue: Waiting[] = [];
  #state: ZoneState | undefined;
  #running = false;
  /** Set when another broker took over: this one never writes again. */
  #superseded = false;
  /** The generation that this broker raised last: nobody else may have since. */
  #generation: number | undefined;
  #deadlineMs: number | undefined;

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** Whether another broker has taken over, so that this one must be discarded. */
  get superseded(): boolean {
    return this.#superseded;
  }

  /**
   * Asks for a decision.
   * @returns its value or a refusal, after the commit that it was computed on;
   *   `busy` where too many wait, `unavailable` where the database is down
   */
  ask<Name extends DecisionName>(
    name: Name,
    input: DecisionInput<Name>,
    idempotency?: IdempotencyScope,
  ): Promise<Answer<DecisionOutput<Name>>> {
    if (this.#queue.length >= this.#options.settings.broker.queueMax) {
      return Promise.resolve({ ok: false, refusal: busy });
    }
    return new Promise((resolve) => {
      const answer = resolve as (answer: Answer<unknown>) => void;
      this.#queue.push({ name, input, idempotency, answer, lost: 0 });
      if (!this.#running) void this.#run();
    });
  }

  /** The alarm rang: acts on deadlines that are due. */
  async tick(): Promise<void> {
    this.#deadlineMs = undefined;
    const most = Math.floor(this.#options.settings.broker.groupMax / 2);
    const nowMs = this.#options.now();
    const answer = await this.ask("tick", { most, nowMs });
    if (answer.ok || this.#superseded || this.#deadlineMs !== undefined) return;
    // What is due stays due: a database that was down must not silence the clock.
    this.#deadlineMs = nowMs + 1000 * (answer.refusal.retryAfter ?? 1);
    this.#options.onDeadline(this.#deadlineMs);
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Requests that arrive in the same turn belong to the same group.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const { groupMax } = this.#options.settings.broker;
      const group = this.#queue.splice(0, groupMax);
      try {
        await this.#serve(group);
      } catch (error) {
        this.#state = undefined;
        this.#options.onAlert("group-failed", { error: String(error) });
        for (const { answer } of group) answer({ ok: false, refusal: unavailable });
      }
    }
    this.#running = false;
  }

  /** Decides and commits one group; what does not fit goes back to the queue. */
  async #serve(group: Waiting[]): Promise<void> {
    const state = await this.#ready();
    if (!state) {
      for (const { answer } of group) answer({ ok: false, refusal: unavailable });
      return;
    }
    const { client, now, zone, settings } = this.#options;
    // Only here: between groups, nothing holds on to a room.
    state.letGoOfRooms(now());
    for (let missing = missingRooms(group, state); missing.length > 0; ) {
      await loadRooms(client, state, missing, now());
      const after = missingRooms(group, state);
      // What was asked for and not found does not exist.
      missing = after.filter((id) => !missing.includes(id));
    }
    const draft = new Draft(state, zone, now());
    const answers: Answer<unknown>[] = [];
    try {
      for (const waiting of group) {
        if (draft.rows >= settings.broker.groupRowsMax) break;
        answers.push(decideOne(draft, waiting));
      }
    } catch (error) {
      // Decided half, the state is of no use any more.
      this.#state = undefined;
      return this.#serveAlone(group, String(error));
    }
    const served = group.slice(0, answers.length);
    this.#queue.unshift(...group.slice(answers.length));
    const changes = draft.seal();
    for (const { what, details } of draft.alerts) this.#options.onAlert(what, details);
    if (changes.empty) {
      this.#answer(served, answers);
      this.#noteDeadline(state);
      return;
    }
    state.commitSeq += 1;
    const { generation, commitSeq, pipeGeneration } = state;
    const head = { zoneId: zone, generation, commitSeq, pipeGeneration };
    const result = await commit(client, head, changes);
    if (result.outcome === "done") return this.#tell(draft, served, answers);
    this.#state = undefined;
    this.#options.onAlert(`commit-${result.outcome}`, {
      ...result,
      requests: served.length,
    });
    if (result.outcome === "fenced") {
      this.#superseded = true;
      for (const { answer } of served) answer({ ok: false, refusal: unavailable });
      return;
    }
    if (result.outcome === "refused") return this.#serveAlone(served, result.reason);
    await this.#settle(commitSeq, draft, served, answers);
  }

  /**
   * A commit's outcome is unknown. Once the generation is raised it can no
   * longer land, and the zone's commit number tells whether it did.
   */
  async #settle(
    commitSeq: number,
    draft: Draft,
    served: Waiting[],
    answers: Answer<unknown>[],
  ): Promise<void> {
    const state = await this.#ready();
    if (!state) {
      for (const { answer } of served) answer({ ok: false, refusal: unavailable });
      return;
    }
    if (state.commitSeq >= commitSeq) return this.#tell(draft, served, answers);
    const { commitTries } = this.#options.settings.broker;
    for (const waiting of served) waiting.lost += 1;
    this.#queue.unshift(...served.filter(({ lost }) => lost < commitTries));
    for (const { lost, answer } of served) {
      if (lost >= commitTries) answer({ ok: false, refusal: unavailable });
    }
  }

  /** Something is wrong: each request runs alone once, and the culprit is named. */
  async #serveAlone(served: Waiting[], reason: string): Promise<void> {
    const [only] = served;
    if (served.length === 1 && only) {
      this.#options.onAlert("request-poisoned", { name: only.name, reason });
      only.answer({ ok: false, refusal: { refusal: "internal" } });
      return;
    }
    for (const waiting of served) await this.#serve([waiting]);
  }

  #tell(draft: Draft, served: Waiting[], answers: Answer<unknown>[]): void {
    const { instructions, news, state } = draft;
    this.#options.onCommitted({ instructions, news, state });
    this.#answer(served, answers);
    this.#noteDeadline(state);
  }

  #answer(served: Waiting[], answers: Answer<unknown>[]): void {
    for (const [at, waiting] of served.entries()) {
      waiting.answer(answers[at] as Answer<unknown>);
    }
  }

  #noteDeadline(state: ZoneState): void {
    const next = state.deadlines.nextMs();
    if (next === this.#deadlineMs) return;
    this.#deadlineMs = next;
    this.#options.onDeadline(next);
  }

  /** The zone's state, read anew where there is none. */
  async #ready(): Promise<ZoneState | undefined> {
    if (this.#superseded) return undefined;
    if (this.#state) return this.#state;
    const { client, zone, settings, now, onAlert } = this.#options;
    try {
      const fence = await fenceZone(client, zone, this.#generation);
      if (!fence) {
        this.#superseded = true;
        onAlert("superseded", { generation: this.#generation });
        return undefined;
      }
      this.#generation = fence.generation;
      const state = await loadZone(client, zone, settings);
      state.postponeDeadlines(now());
      this.#state = state;
      return state;
    } catch (error) {
      onAlert("rebuild-failed", { error: String(error) });
      return undefined;
    }
  }
}
