import { nodeIdOf } from "#schema/ids.ts";
import { type HostOptions, registration } from "./people.ts";
import type { Act, Asker } from "./random-acts.ts";

/** The hosts of a random walk: what their agents, or their silence, tell the zone. */
export class RandomHosts {
  readonly #hosts: HostOptions[];
  readonly #asker: Asker;
  readonly #epochs = new Map<string, number>();
  /** The incarnation of each worker, by id. */
  readonly #incarnations = new Map<string, string>();

  constructor(asker: Asker, hosts: HostOptions[]) {
    this.#asker = asker;
    this.#hosts = hosts;
  }

  async start(): Promise<void> {
    for (let at = 0; at < this.#hosts.length; at += 1) await this.#register(at);
  }

  /** Does what is about a host; other acts are none of its business. */
  async run({ act, a, b }: Act): Promise<void> {
    const at = a % this.#hosts.length;
    const nodeId = `node_test_${this.#hosts[at]?.name}`;
    const epoch = this.#epochs.get(nodeId) ?? 0;
    switch (act) {
      case "workerDied": {
        const workerId = `worker_test_${this.#hosts[at]?.name}_${b % 3}`;
        const incarnation = this.#incarnations.get(workerId) ?? "";
        const replacedBy = `${incarnation}+`;
        const died = { nodeId, epoch, workerId, incarnation, replacedBy };
        const { ok } = await this.#asker.ask("workerDied", died);
        if (ok) this.#incarnations.set(workerId, replacedBy);
        return;
      }
      case "nodeAgain":
        return this.#register(at);
      case "nodeSuspect":
      case "nodeGone": {
        const state = act === "nodeGone" ? "gone" : "suspect";
        await this.#asker.ask("nodeSilent", { nodeId, epoch, state });
        return;
      }
      case "nodeHeard": {
        const heard = {
          nodeId,
          epoch,
          draining: b % 4 === 0,
          egressKbps: 0,
          workers: [],
        };
        await this.#asker.ask("nodeHeard", heard);
        return;
      }
      case "cordon":
      case "uncordon":
        await this.#asker.ask("cordonNode", { nodeId, cordoned: act === "cordon" });
        return;
      case "drain":
        await this.#asker.ask("drainNode", { nodeId });
        return;
      case "acknowledge":
        await this.#asker.ask("acknowledge", { nodeId, seq: b });
    }
  }

  async #register(at: number): Promise<void> {
    const request = registration(this.#hosts[at] ?? {});
    const nodeId = nodeIdOf(request.zone, request.name);
    const before = await this.#asker.ask("readNodeEpoch", { nodeId });
    if (!before.ok) return;
    const challengeEpoch = before.value.epoch;
    const registering = { ...request, challengeEpoch };
    const answer = await this.#asker.ask("registerNode", registering);
    if (!answer.ok) return;
    this.#epochs.set(answer.value.nodeId, answer.value.epoch);
    for (const { ordinal, incarnation } of request.workers) {
      this.#incarnations.set(`worker_test_${request.name}_${ordinal}`, incarnation);
    }
  }
}
