import type { DecisionInput, DecisionName } from "#control/broker/decisions.ts";
import type { Zone } from "#test/harness/zone.ts";

/** One random request: what to ask, and numbers that choose about whom. */
export interface Act {
  act: (typeof filling | typeof ordinary | typeof drastic)[number];
  a: number;
  b: number;
}

/** What fills a zone, what goes on in it, and what takes much away at once. */
export const filling = [
  "enter",
  "attach",
  "goLive",
  "watchAll",
  "watchAll",
  "watchOne",
  "watchSeveral",
  "activate",
  "openPipe",
] as const;
export const ordinary = [
  "leave",
  "leaveTwice",
  "detach",
  "goLiveScreen",
  "addTrack",
  "mute",
  "unmute",
  "endTrack",
  "show",
  "unshow",
  "kick",
  "ban",
  "unban",
  "openReserved",
  "stop",
  "release",
  "locate",
  "loseReceiving",
  "loseSending",
  "complain",
  "resume",
  "resume",
  "nodeHeard",
  "acknowledge",
  "uncordon",
] as const;
export const drastic = [
  "openRoom",
  "changeTier",
  "reserve",
  "unreserve",
  "closeRoom",
  "workerDied",
  "nodeAgain",
  "nodeSuspect",
  "nodeGone",
  "cordon",
  "drain",
] as const;

/** Asks a zone and remembers how often each answer was heard. */
export class Asker {
  /** How often each answer was heard, as `decision code`. */
  readonly heard = new Map<string, number>();
  readonly #zone: Zone;

  constructor(zone: Zone) {
    this.#zone = zone;
  }

  /** @throws Error where the broker owns to a mistake of its own */
  async ask<Name extends DecisionName>(name: Name, input: DecisionInput<Name>) {
    const answer = await this.#zone.ask(name, input);
    if (!answer.ok && answer.refusal.refusal === "internal") {
      throw new Error(`${name} made a mistake: ${JSON.stringify(this.#zone.alerts)}`);
    }
    this.note(`${name} ${answer.ok ? "ok" : answer.refusal.refusal}`);
    return answer;
  }

  note(what: string): void {
    this.heard.set(what, (this.heard.get(what) ?? 0) + 1);
  }
}

export const tierOf = (at: number) => [0, 1, 1, 2][at % 4] ?? 1;
export const identityOf = (at: number) => `identity ${at % 6}`;

/** Late ones are asked for more often: they are more likely to be alive. */
export function pick<T>(items: readonly T[], at: number): T | undefined {
  return items.at(-1 - (at % Math.max(1, items.length)));
}
