import type { DryPair, NodeEvent } from "#schema/agent/control.ts";
import type { PipeRef } from "#schema/agent/instructions.ts";
import { nodeIdOfTransport, nodeIdOfWorker } from "#schema/ids.ts";
import type { Refusal } from "../broker/decision.ts";
import type { Answer } from "../broker/requests.ts";
import { configOf, type Env } from "../env.ts";
import { comesIn } from "../services/comes-in.ts";
import type { LiveSignal } from "./live-signals.ts";
import { brokerOf, channelNameOf, channelOf, mailboxOf } from "./names.ts";

type EventOf<Kind extends NodeEvent["kind"]> = Extract<NodeEvent, { kind: Kind }>;

/** Passes on what a node's agent tells: to the broker, to channels, to other nodes. */
export class NodeEvents {
  readonly #env: Env;
  readonly #later: (work: Promise<unknown>) => void;

  /** @param later runs work that the agent's report does not wait for */
  constructor(env: Env, later: (work: Promise<unknown>) => void) {
    this.#env = env;
    this.#later = later;
  }

  /** Passes events on in their order. @returns why one could not be, if so */
  async passOn(
    node: { nodeId: string; epoch: number },
    events: readonly NodeEvent[],
  ): Promise<Refusal | undefined> {
    const isUrgent = (event: NodeEvent) => event.kind === "legs-wanted";
    const wanted = events.filter(isUrgent).flatMap(({ pipes }) => pipes);
    // Pictures wait for it, and nothing here does.
    if (wanted.length > 0) this.#later(this.#startLegs(node.nodeId, wanted));
    for (const event of events) {
      const answer = await this.#tell(node, event);
      // What is told of a session or room that has ended has no effect any more.
      if (!answer.ok && answer.refusal.refusal !== "not-found") return answer.refusal;
    }
    return undefined;
  }

  async #tell(
    { nodeId, epoch }: { nodeId: string; epoch: number },
    event: NodeEvent,
  ): Promise<Answer<unknown>> {
    const broker = brokerOf(this.#env, configOf(this.#env).zone);
    // A node speaks for nothing that is elsewhere.
    if ("transportId" in event && nodeIdOfTransport(event.transportId) !== nodeId) {
      return { ok: true, value: undefined };
    }
    switch (event.kind) {
      case "views-active":
        return broker.ask("activateViews", { ...event, nodeId });
      case "session-carried":
        return broker.ask("carrySession", { ...event, nodeId });
      case "transport-lost":
        return broker.ask("transportLost", { ...event, nodeId });
      case "worker-died":
        return broker.ask("workerDied", { ...event, nodeId, epoch });
      case "pairs-dry":
        this.#later(this.#tellDry({ nodeId, epoch }, event.pairs));
        return { ok: true, value: undefined };
      case "node-left":
        return broker.ask("nodeLeft", { nodeId, epoch });
      case "layers-wanted":
        return this.#tellBroadcaster(nodeId, event);
      case "speaker-active":
      case "speaker-silent":
      case "view-quality":
        return this.#tellRoom(nodeId, event);
      case "legs-wanted":
        return { ok: true, value: undefined };
    }
  }

  /**
   * Has legs started on their producers' hosts, as a consumer host asked. One that
   * is not reached starts them by itself a moment later.
   */
  async #startLegs(nodeId: string, pipes: readonly PipeRef[]): Promise<void> {
    const { callDeadlineMs } = configOf(this.#env).settings.timing;
    // Only what leads to the node's own workers is its to start.
    const own = pipes.filter(
      ({ consumer }) => nodeIdOfWorker(consumer.workerId) === nodeId,
    );
    const byNode = Map.groupBy(own, ({ producer }) => nodeIdOfWorker(producer.workerId));
    const starting = [...byNode].map(async ([producerNode, legs]) => {
      const call = { op: "start-legs" as const, pipes: legs };
      await mailboxOf(this.#env, producerNode).call(call, 0, callDeadlineMs);
    });
    await Promise.allSettled(starting);
  }

  /** Passes on of which pairs nothing comes, but for those whose sources are silent. */
  async #tellDry(
    node: { nodeId: string; epoch: number },
    pairs: readonly DryPair[],
  ): Promise<void> {
    const silent = await Promise.all(pairs.map((pair) => this.#isSourceSilent(pair)));
    const dry = pairs.filter((_, at) => !silent[at]);
    if (dry.length === 0) return;
    const { zone } = configOf(this.#env);
    await brokerOf(this.#env, zone).ask("pairsDry", { ...node, pairs: dry });
  }

  /** Whether the peer's host has nothing to send. One that does not say is not well. */
  async #isSourceSilent({ peer, expected }: DryPair): Promise<boolean> {
    const nodeId = nodeIdOfWorker(peer.workerId);
    const asked = expected.map((broadcastId) =>
      comesIn(this.#env, nodeId, { type: "broadcast", broadcastId }),
    );
    const answers = await Promise.all(asked);
    return answers.length > 0 && answers.every((comes) => comes === false);
  }

  /** What of a broadcast is watched: its broadcaster need not send the rest. */
  async #tellBroadcaster(
    nodeId: string,
    event: EventOf<"layers-wanted">,
  ): Promise<Answer<unknown>> {
    const { zone } = configOf(this.#env);
    const answer = await brokerOf(this.#env, zone).ask("wantLayers", {
      ...event,
      nodeId,
    });
    if (answer.ok && answer.value.told) {
      const { tier, ...told } = answer.value.told;
      this.#tellChannel(tier, { kind: "broadcast-layers", ...told });
    }
    return answer;
  }

  /** What is only told: a room that is gone, or a channel that fails, misses nothing. */
  async #tellRoom(
    nodeId: string,
    event: EventOf<"speaker-active" | "speaker-silent" | "view-quality">,
  ): Promise<Answer<unknown>> {
    const { zone } = configOf(this.#env);
    const vouched = await brokerOf(this.#env, zone).ask("vouchFor", { ...event, nodeId });
    if (vouched.ok) this.#tellChannel(vouched.value.tier, event);
    return vouched;
  }

  #tellChannel(tier: number, signal: LiveSignal): void {
    const { globalChannels } = configOf(this.#env).settings.chat;
    const name = channelNameOf(signal.roomId, tier, globalChannels);
    const told = channelOf(this.#env, name).tell(signal);
    this.#later(told.catch(() => undefined));
  }
}
