import { setTimeout as delay } from "node:timers/promises";
import type { AgentState } from "#agent/state.ts";
import type { Fleet } from "./fleet.ts";
import type { Remote } from "./rpc.ts";
import type { ZoneMethods } from "./zone-host.ts";

/** Marks that hold on the hosts themselves, whatever the ledger says. */
export interface Marks {
  pointsPerWorker: number;
  seatsPerPoint: number;
  broadcastsPerProducerWorker: number;
}

const everyMs = 1000;

/** Looks all the time whether what must hold does, past everything it judges. */
export class Watch {
  readonly overshot = new Set<string>();
  readonly drift = new Set<string>();
  looks = 0;
  readonly #zone: Remote<ZoneMethods>;
  readonly #fleet: Fleet;
  readonly #marks: Marks;
  readonly #say: (text: string) => void;
  readonly #rooms = new Map<string, string>();
  #isOver = false;
  #looking: Promise<void> | undefined;

  constructor(
    zone: Remote<ZoneMethods>,
    fleet: Fleet,
    marks: Marks,
    say: (text: string) => void,
  ) {
    this.#zone = zone;
    this.#fleet = fleet;
    this.#marks = marks;
    this.#say = say;
  }

  start(): void {
    this.#looking = this.#look();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (!this.#isOver) {
      const pause = delay(everyMs);
      const { overshot, drift } = await this.#zone.judge();
      for (const line of overshot) this.#note(this.overshot, line);
      for (const line of drift) this.#note(this.drift, line);
      const rooms = await this.#zone.roomsOfSessions();
      for (const [session, room] of Object.entries(rooms)) this.#rooms.set(session, room);
      await Promise.all(
        this.#fleet.hosts.map(async (host) => {
          const state = await host.state();
          if (state) this.#judgeHost(host.name, state);
        }),
      );
      this.looks += 1;
      await pause;
    }
  }

  /** What a host carries in truth, counted as the weight model counts. */
  #judgeHost(name: string, state: AgentState): void {
    const { pointsPerWorker, seatsPerPoint, broadcastsPerProducerWorker } = this.#marks;
    for (const { workerId } of state.workers) {
      const views = state.views.filter((view) => view.workerId === workerId);
      const slots = Map.groupBy(views, ({ broadcastId, sessionId }) => {
        return `${broadcastId} ${this.#rooms.get(sessionId) ?? ""}`;
      });
      let points = 0;
      for (const seats of slots.values())
        points += Math.ceil(seats.length / seatsPerPoint);
      if (points > pointsPerWorker) {
        this.#note(this.overshot, `${name}: ${workerId} carries ${points} points`);
      }
      const broadcasts = state.broadcasts.filter((one) => one.workerId === workerId);
      if (broadcasts.length > broadcastsPerProducerWorker) {
        const line = `${name}: ${workerId} carries ${broadcasts.length} broadcasts`;
        this.#note(this.overshot, line);
      }
    }
  }

  #note(into: Set<string>, line: string): void {
    if (!into.has(line)) this.#say(`VIOLATED: ${line}`);
    into.add(line);
  }
}

/** What a host still has after everybody left, a line each; empty is right. */
export function heldBy(name: string, state: AgentState): string[] {
  const held = [
    ["broadcasts", state.broadcasts.length],
    ["views", state.views.length],
    ["outgoing pipes", state.pipes.outgoing.length],
    ["incoming pipes", state.pipes.incoming.length],
    ["unsent reports", state.waitingToReport],
    ...state.workers.flatMap(({ ordinal, mediasoup }) => [
      [`producers on worker ${ordinal}`, mediasoup.producers],
      [`consumers on worker ${ordinal}`, mediasoup.consumers],
      // Pairs of workers keep their pipe transports, for the next pipe.
      [
        `client transports on worker ${ordinal}`,
        mediasoup.transports - mediasoup.pipeTransports,
      ],
    ]),
  ] as const;
  return held.flatMap(([what, count]) =>
    Number(count) === 0 ? [] : [`${name}: ${count} ${what}`],
  );
}
