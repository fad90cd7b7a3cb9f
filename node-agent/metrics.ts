import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Agent } from "./agent.ts";

// Seconds: a call is loopback work of milliseconds, or something is wrong.
const buckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The agent's metrics; gauges are read from the agent when they are scraped. */
export class Metrics {
  readonly registry = new Registry();
  readonly #callDuration: Histogram<"op" | "outcome">;
  readonly #pollErrors: Counter;

  constructor(agent: Agent) {
    const registers = [this.registry];
    this.#callDuration = new Histogram({
      name: "weir_agent_call_duration_seconds",
      help: "How long calls from control took.",
      labelNames: ["op", "outcome"],
      buckets,
      registers,
    });
    this.#pollErrors = new Counter({
      name: "weir_agent_poll_errors_total",
      help: "Polls that failed.",
      registers,
    });
    this.#gauge("workers", "mediasoup workers that run.", () => agent.pool.lives.length);
    this.#gauge("registered", "1 while registered with control.", () =>
      agent.registration ? 1 : 0,
    );
    this.#gauge("report_backlog", "Answers and events that wait to be reported.", () => {
      return agent.registration?.reporter.waiting ?? 0;
    });
    this.#mediaGauges(agent);
    this.#cpuGauge(agent);
  }

  /** Counts a call of an operation, with its outcome and duration. */
  observeCall(op: string, outcome: string, durationMs: number): void {
    this.#callDuration.observe({ op, outcome }, durationMs / 1000);
  }

  /** Counts a poll that failed. */
  countPollError(): void {
    this.#pollErrors.inc();
  }

  #mediaGauges(agent: Agent): void {
    const media = () => agent.registration?.media;
    this.#gauge("transports", "Clients' transports.", () => {
      return media()?.transports.all.length ?? 0;
    });
    this.#gauge("pairs", "PipeTransports to other workers.", () => {
      return media()?.pairs.all.length ?? 0;
    });
    this.#gauge("pipes", "Pipes open here, either side.", () => {
      const { legs, piped } = media() ?? {};
      return (legs?.all.length ?? 0) + (piped?.all.length ?? 0);
    });
    this.#gauge("producers", "Producers, piped ones included.", () => {
      const { sending, piped } = media() ?? {};
      const tracks = [...(sending?.all ?? []), ...(piped?.all ?? [])];
      return tracks.reduce((sum, one) => sum + one.tracks.size, 0);
    });
    this.#gauge("consumers", "Consumers, legs included.", () => {
      const { receiving, legs } = media() ?? {};
      const viewed = (receiving?.all ?? []).reduce((sum, v) => sum + v.consumers.size, 0);
      return (legs?.all ?? []).reduce((sum, pipe) => sum + pipe.legs.size, viewed);
    });
  }

  #cpuGauge(agent: Agent): void {
    new Gauge({
      name: "weir_agent_worker_cpu_percent",
      help: "Share of one core that a worker used of late.",
      labelNames: ["ordinal", "role", "media_class"],
      registers: [this.registry],
      collect() {
        this.reset();
        for (const life of agent.pool.lives) {
          const { ordinal, role, mediaClass: media_class, incarnation } = life;
          this.set({ ordinal, role, media_class }, agent.cpuPercent(incarnation));
        }
      },
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name: `weir_agent_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
