import { type RunningAgent, startAgent } from "#test/harness/agent.ts";
import { type Control, startControl } from "#test/harness/control.ts";

/**
 * A zone whose hosts a test ends one by one: cameras go to `in-a` or `in-b` and
 * are shown from `out-a` or `out-b`. What takes long in earnest is quick here.
 */
export class Hosts {
  readonly control: Control;
  readonly agents = new Map<string, RunningAgent>();

  private constructor(control: Control) {
    this.control = control;
  }

  static async start(): Promise<Hosts> {
    const control = await startControl({
      lobby: "open",
      settings: {
        timing: {
          heartbeatMs: 500,
          nodeSuspectMs: 1500,
          nodeLeaseMs: 8000,
          sessionGraceMs: 4000,
        },
        // A host that comes back here takes new work at once.
        failing: { withinMs: 1, holdMs: 1 },
      },
    });
    const hosts = new Hosts(control);
    await Promise.all(["in-a", "in-b", "out-a", "out-b"].map((name) => hosts.run(name)));
    return hosts;
  }

  get url(): string {
    return this.control.url;
  }

  /** Starts a host, or starts it again. */
  async run(name: string): Promise<void> {
    const { control } = this;
    const role = name.startsWith("in") ? "producer" : "consumer";
    const workers = `${role}:camera:1`;
    this.agents.set(name, await startAgent({ control, name, workers }));
  }

  /** The host whose worker carries something now: a broadcast, or a view. */
  async busy(kind: "broadcasts" | "views"): Promise<RunningAgent> {
    for (const agent of this.agents.values()) {
      const state = await agent.state().catch(() => undefined);
      if (state?.[kind].length > 0) return agent;
    }
    throw new Error(`No host has ${kind}.`);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.agents.values()].map((agent) => agent.kill()));
    await this.control.stop();
  }
}
