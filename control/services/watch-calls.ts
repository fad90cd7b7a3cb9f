import type { CallResult } from "#schema/agent/call-results.ts";
import type { CallOf, Leg, PipeEndpoint } from "#schema/agent/calls.ts";
import type { WorkerRef } from "#schema/agent/instructions.ts";
import { nodeIdOfWorker } from "#schema/ids.ts";
import type { DtlsParametersWire, RtpCapabilitiesWire } from "#schema/media.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import type { ClaimedView } from "../broker/decide/views.ts";
import type { Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { callNode } from "./calls.ts";
import type { ServerTiming } from "./server-timing.ts";

/** What a viewer can take, and how it will be known. */
export interface Viewer {
  rtpCapabilities: RtpCapabilitiesWire;
  dtlsParameters: DtlsParametersWire;
  kinds: ("audio" | "video")[];
  /** Kinds that wait, paused, for the viewer to ask for them. */
  pausedKinds?: ("audio" | "video")[];
  preferredLayers?: { spatialLayer: number; temporalLayer?: number };
  priority?: number;
}

/** On whose behalf, and with what, media is brought. */
export interface Bringing {
  env: Env;
  zone: string;
  session: SessionPrincipal;
  viewer: Viewer;
  afterSeq: Record<string, number>;
  timing: ServerTiming;
}

export type WatchResult = CallResult<"watch">;

/** What came of bringing views: nothing was asked of their host where no leg was made. */
export interface Brought {
  result?: WatchResult;
  /** Why broadcasts' own hosts made no legs, by broadcast. */
  sourceless: ReadonlyMap<string, Problem>;
}

/**
 * Brings views from one consumer worker: one hop where their pipes are open,
 * two where not. A producer's host that fails keeps only what it has from viewers.
 * @param openAll makes legs for all of them, whatever the ledger holds open
 * @throws Problem as `callNode`, where it is the consumer's host that fails
 */
export async function callWatch(
  bringing: Bringing,
  views: ClaimedView[],
  openAll = false,
): Promise<Brought> {
  const { session, viewer, timing } = bringing;
  const [first] = views;
  if (!first) throw new Error("There is nothing to watch.");
  const { consumer, transportId } = first;
  const unopened = views.filter((view) => openAll || !view.pipeOpen);
  const { pairs, legs, sourceless } =
    unopened.length > 0
      ? await timing.measure("legs", () => openLegs(bringing, consumer, unopened))
      : noLegs;
  const sourced = views.filter(({ broadcastId }) => !sourceless.has(broadcastId));
  if (sourced.length === 0) return { sourceless };
  const request: Unpaired<"watch"> = {
    op: "watch",
    roomId: session.roomId,
    sessionId: session.sessionId,
    worker: consumer,
    transportId,
    dtlsParameters: viewer.dtlsParameters,
    rtpCapabilities: viewer.rtpCapabilities,
    views: sourced.map((view) => ({
      viewId: view.viewId,
      broadcastId: view.broadcastId,
      generation: view.generation,
      producer: view.producer,
      legs: legs.get(view.broadcastId),
      kinds: viewer.kinds,
      preferredLayers: viewer.preferredLayers,
      priority: viewer.priority,
      paused: false,
      pausedKinds: viewer.pausedKinds ?? [],
    })),
  };
  const result = await timing.measure("watch", () =>
    callConsumer(bringing, request, pairs),
  );
  return { result, sourceless };
}

interface Pair {
  peer: WorkerRef;
  fromProducer: PipeEndpoint;
  fromConsumer: PipeEndpoint;
}

/** What producers' hosts made for a consumer worker, and what they did not. */
interface Opened {
  pairs: Pair[];
  /** By broadcast. */
  legs: Map<string, Leg[]>;
  /** Why there are none, by broadcast. */
  sourceless: Map<string, Problem>;
}

const noLegs: Opened = { pairs: [], legs: new Map(), sourceless: new Map() };

/** A call to a consumer's host, without the pairs that it has to connect. */
export type Unpaired<Op extends "watch" | "play"> = Omit<CallOf<Op>, "pairs">;

/**
 * The last hop: the consumer's host serves its views, and the producers' hosts
 * connect their ends of the pairs, all at once.
 * @throws Problem as `callNode`, whichever host it is
 */
export async function callConsumer<Op extends "watch" | "play">(
  { env, afterSeq }: Pick<Bringing, "env" | "afterSeq">,
  unpaired: Unpaired<Op>,
  pairs: readonly Pair[],
): Promise<CallResult<Op>> {
  const nodeId = nodeIdOfWorker(unpaired.worker.workerId);
  const request = {
    ...unpaired,
    pairs: pairs.map(({ peer, fromProducer }) => ({ peer, remote: fromProducer })),
  } as CallOf<Op>;
  const [result] = await Promise.all([
    callNode(env, nodeId, request, afterSeq[nodeId]),
    ...pairs.map(({ peer, fromConsumer }) =>
      callNode(env, nodeIdOfWorker(peer.workerId), {
        op: "connect-pair",
        worker: peer,
        peer: unpaired.worker,
        remote: fromConsumer,
      }),
    ),
  ]);
  return result;
}

/**
 * Makes legs on the producer workers and, at the same time, their far ends.
 * @throws Problem as `callNode`, where it is the consumer's host that fails
 */
export async function openLegs(
  { env, afterSeq }: Pick<Bringing, "env" | "afterSeq">,
  consumer: WorkerRef,
  views: ClaimedView[],
): Promise<Opened> {
  const opened: Opened = { pairs: [], legs: new Map(), sourceless: new Map() };
  const { pairs, legs, sourceless } = opened;
  const byProducer = [...Map.groupBy(views, (view) => view.producer.workerId).values()];
  const peers = byProducer.flatMap(([view]) => (view ? [view.producer] : []));
  const consumerNode = nodeIdOfWorker(consumer.workerId);
  const openFrom = async (group: ClaimedView[]) => {
    const nodeId = nodeIdOfWorker(group[0]?.producer.workerId ?? "");
    const pipes = group.map(({ broadcastId, producer, generation }) => ({
      broadcastId,
      producer,
      consumer,
      generation,
    }));
    try {
      return await callNode(env, nodeId, { op: "open-legs", pipes }, afterSeq[nodeId]);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      for (const { broadcastId } of group) sourceless.set(broadcastId, error);
      return { pipes: [] };
    }
  };
  const [near, ...far] = await Promise.all([
    callNode(
      env,
      consumerNode,
      { op: "open-pairs", worker: consumer, peers },
      afterSeq[consumerNode],
    ),
    ...byProducer.map(openFrom),
  ]);
  for (const [at, { pipes }] of far.entries()) {
    let fromProducer: PipeEndpoint | undefined;
    for (const pipe of pipes) {
      if (pipe.status === "open") {
        legs.set(pipe.broadcastId, pipe.legs);
        fromProducer = pipe.endpoint;
      } else {
        const { broadcastId, reason: detail } = pipe;
        sourceless.set(broadcastId, new Problem("media-failed", { detail }));
      }
    }
    const peer = peers[at];
    const fromConsumer = near.endpoints[at];
    if (peer && fromProducer && fromConsumer) {
      pairs.push({ peer, fromProducer, fromConsumer });
    }
  }
  return opened;
}
