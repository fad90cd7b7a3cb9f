import type { OutboxItem } from "#schema/agent/instructions.ts";
import { commit } from "../ledger/commit.ts";
import { loadRooms } from "../ledger/load-rooms.ts";
import type { DecisionInput, DecisionName, DecisionOutput } from "./decisions.ts";
import { Draft } from "./draft.ts";
import { letHeldGo } from "./failing.ts";
import {
  type Answer,
  busy,
  decideOne,
  type IdempotencyScope,
  missingRooms,
  refuse,
  unavailable,
  type Waiting,
} from "./requests.ts";
import type { ZoneState } from "./state.ts";
import type { RoomNews } from "./telling.ts";
import { Tenure, type TenureOptions } from "./tenure.ts";

/** What a commit has to tell others, in order. */
export interface Committed {
  instructions: ReadonlyMap<string, OutboxItem[]>;
  news: ReadonlyMap<string, RoomNews>;
  state: ZoneState;
}

export interface BrokerOptions extends TenureOptions {
  /** Called after each commit, before its answers leave. */
  onCommitted: (committed: Committed) => void;
  /**
   * Called when the earliest deadline changed, and as long as it is overdue;
   * undefined: there is none.
   */
  onDeadline: (atMs: number | undefined) => void;
}

/**
 * The one writer of a zone's control database. Requests are decided in memory,
 * first in, first out; what arrives while a commit is under way goes together
 * into the next one. An answer leaves only after the commit that it was
 * computed on.
 */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #tenure: Tenure;
  readonly #queue: Waiting[] = [];
  #running = false;
  #deadlineMs: number | undefined;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#tenure = new Tenure(options);
  }

  /** Whether another broker has taken over, so that this one must be discarded. */
  get superseded(): boolean {
    return this.#tenure.isOver;
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
    if (answer.ok || this.superseded || this.#deadlineMs !== undefined) return;
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
        this.#tenure.discardState();
        this.#options.onAlert("group-failed", { error: String(error) });
        refuse(group, unavailable);
      }
    }
    this.#running = false;
  }

  /** Decides and commits one group; what does not fit goes back to the queue. */
  async #serve(group: Waiting[]): Promise<void> {
    const state = await this.#tenure.state();
    if (!state) return refuse(group, unavailable);
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
      letHeldGo(draft);
    } catch (error) {
      // Decided half, the state is of no use any more.
      this.#tenure.discardState();
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
    this.#tenure.discardState();
    this.#options.onAlert(`commit-${result.outcome}`, {
      ...result,
      requests: served.length,
    });
    if (result.outcome === "fenced") {
      this.#tenure.end();
      return refuse(served, unavailable);
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
    const state = await this.#tenure.state();
    if (!state) return refuse(served, unavailable);
    if (state.commitSeq >= commitSeq) return this.#tell(draft, served, answers);
    const { commitTries } = this.#options.settings.broker;
    for (const waiting of served) waiting.lost += 1;
    this.#queue.unshift(...served.filter(({ lost }) => lost < commitTries));
    refuse(
      served.filter(({ lost }) => lost >= commitTries),
      unavailable,
    );
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
    const isOverdue = next !== undefined && next <= this.#options.now();
    if (next === this.#deadlineMs && !isOverdue) return;
    this.#deadlineMs = next;
    this.#options.onDeadline(next);
  }
}
