import type { Client } from "@libsql/client/web";
import type { Settings } from "#schema/settings.ts";
import { fenceZone, loadZone } from "../ledger/load.ts";
import type { ZoneState } from "./state.ts";

export interface TenureOptions {
  zone: string;
  client: Client;
  settings: Settings;
  /** Milliseconds since 1970; time comes from outside, so that tests own it. */
  now: () => number;
  /** Called for what an operator has to know of. */
  onAlert: (what: string, details: Record<string, unknown>) => void;
}

/**
 * A broker's time as its zone's only writer: the generation that it raised, and what
 * it read under that. The state may be thrown away and read anew at any moment; a
 * generation that somebody else has raised since ends the tenure for good.
 */
export class Tenure {
  readonly #options: TenureOptions;
  #state: ZoneState | undefined;
  #over = false;
  /** The generation that was raised here last: nobody else may have since. */
  #generation: number | undefined;

  constructor(options: TenureOptions) {
    this.#options = options;
  }

  /** Whether another broker has taken over: this one never writes again. */
  get isOver(): boolean {
    return this.#over;
  }

  /**
   * The zone's state, read anew where there is none.
   * @returns undefined where another broker took over or the database is down
   */
  async state(): Promise<ZoneState | undefined> {
    if (this.#over) return undefined;
    if (this.#state) return this.#state;
    const { client, zone, settings, now, onAlert } = this.#options;
    try {
      const generation = await fenceZone(client, zone, this.#generation);
      if (generation === undefined) {
        this.#over = true;
        onAlert("superseded", { generation: this.#generation });
        return undefined;
      }
      this.#generation = generation;
      const state = await loadZone(client, zone, settings);
      state.postponeDeadlines(now());
      this.#state = state;
      return state;
    } catch (error) {
      onAlert("rebuild-failed", { error: String(error) });
      return undefined;
    }
  }

  /** The state may not be what the database holds: the next one is read anew. */
  discardState(): void {
    this.#state = undefined;
  }

  /** The database has refused a commit, as another broker took over. */
  end(): void {
    this.#over = true;
    this.#state = undefined;
  }
}
