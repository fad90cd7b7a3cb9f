import type { CallOf, CallResult, Leg, PipeEndpoint } from "#schema/agent/calls.ts";
import type { WorkerRef } from "#schema/agent/instructions.ts";
import type { Watched } from "#schema/api/media.ts";
import { nodeIdOfWorker, zoneOf } from "#schema/ids.ts";
import type { DtlsParametersWire, RtpCapabilitiesWire } from "#schema/media.ts";
import type { SessionPrincipal } from "../auth/tokens.ts";
import type { ClaimedView, ClaimedViews } from "../broker/decide/views.ts";
import type { Env } from "../env.ts";
import { Problem } from "../problem.ts";
import { ask } from "./ask.ts";
import { callNode } from "./calls.ts";

/** What a viewer can take, and how it will be known. */
export interface Viewer {
  rtpCapabilities: RtpCapabilitiesWire;
  dtlsParameters: DtlsParametersWire;
  kinds: ("audio" | "video")[];
  preferredLayers?: { spatialLayer: number; temporalLayer?: number };
  priority?: number;
}

interface Context {
  env: Env;
  zone: string;
  session: SessionPrincipal;
  viewer: Viewer;
  afterSeq: Record<string, number>;
}

/**
 * Claims seats for broadcasts and brings their media: one call where the pipe
 * is open, two hops where it is not. What fails gives its seat back.
 * @param later runs work that nobody waits for
 */
export async function watch(
  env: Env,
  session: SessionPrincipal,
  broadcasts: "all" | string[],
  viewer: Viewer,
  later: (work: Promise<unknown>) => void,
): Promise<Watched> {
  const zone = zoneOf(session.roomId) ?? "";
  const claimed = await ask(env, zone, "claimViews", { ...session, broadcasts });
  const context = { env, zone, session, viewer, afterSeq: claimed.afterSeq };
  const watched = await bring(context, claimed, later);
  for (const { broadcastId, code, detail } of claimed.refused) {
    watched.views.push({ status: "refused", broadcastId, code, detail });
  }
  return watched;
}

/** Brings the tracks that a view's broadcast has gained since. */
export async function syncView(
  env: Env,
  session: SessionPrincipal,
  viewId: string,
  viewer: Viewer,
  later: (work: Promise<unknown>) => void,
): Promise<Watched> {
  const zone = zoneOf(session.roomId) ?? "";
  const located = await ask(env, zone, "locateViews", { ...session, viewIds: [viewId] });
  const context = { env, zone, session, viewer, afterSeq: located.afterSeq };
  // Asking for the legs again adds those of the new tracks.
  const views = located.views.map((view) => ({ ...view, pipeOpen: false }));
  return bring(context, { ...located, views }, later);
}

async function bring(
  context: Context,
  { views }: ClaimedViews,
  later: (work: Promise<unknown>) => void,
): Promise<Watched> {
  const watched: Watched = { transports: [], views: [] };
  const byWorker = [...Map.groupBy(views, (view) => view.consumer.workerId).values()];
  await Promise.all(
    byWorker.map(async (group) => {
      const brought = await bringFromWorker(context, group, later);
      watched.transports.push(...brought.transports);
      watched.views.push(...brought.views);
    }),
  );
  return watched;
}

/** All of a session's new views on one consumer worker. */
async function bringFromWorker(
  context: Context,
  views: ClaimedView[],
  later: (work: Promise<unknown>) => void,
): Promise<Watched> {
  const watched: Watched = { transports: [], views: [] };
  const failed: string[] = [];
  const opened: ClaimedView[] = [];
  const fail = (
    view: ClaimedView,
    code: "media-failed" | "media-timeout",
    detail: string,
  ) => {
    failed.push(view.viewId);
    const { broadcastId } = view;
    watched.views.push({ status: "refused", broadcastId, code, detail });
  };
  try {
    const first = await tryWatch(context, views);
    const again = views.filter((view) => missesPipe(first, view));
    // A pipe that the ledger holds open may have died with its host's agent.
    const second = again.length > 0 ? await tryWatch(context, again, true) : undefined;
    watched.transports.push(first.transport);
    for (const view of views) {
      const answer = answerFor(second, view) ?? answerFor(first, view);
      if (answer?.status !== "ready") {
        fail(view, "media-failed", answer?.reason ?? "The host did not answer for it.");
        continue;
      }
      if (!view.pipeOpen || again.includes(view)) opened.push(view);
      const { viewId: id, broadcastId, transportId } = view;
      const { consumers } = answer;
      watched.views.push({ status: "ready", id, broadcastId, transportId, consumers });
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const code = error.code === "media-timeout" ? "media-timeout" : "media-failed";
    for (const view of views) fail(view, code, error.message);
  }
  const { env, zone, session } = context;
  if (failed.length > 0)
    await ask(env, zone, "releaseViews", { ...session, viewIds: failed });
  if (opened.length > 0) {
    const pipes = opened.map(({ broadcastId, consumer, generation }) => ({
      broadcastId,
      workerId: consumer.workerId,
      generation,
    }));
    later(ask(env, zone, "openPipes", { pipes }));
  }
  return watched;
}

type WatchResult = CallResult<"watch">;

function answerFor(result: WatchResult | undefined, view: ClaimedView) {
  return result?.views.find((answer) => answer.viewId === view.viewId);
}

function missesPipe(result: WatchResult, view: ClaimedView): boolean {
  const answer = answerFor(result, view);
  return view.pipeOpen && answer?.status === "failed" && answer.code === "no-pipe";
}

async function tryWatch(
  context: Context,
  views: ClaimedView[],
  openAll = false,
): Promise<WatchResult> {
  const { env, session, viewer, afterSeq } = context;
  const [first] = views;
  if (!first) throw new Error("There is nothing to watch.");
  const { consumer, transportId } = first;
  const nodeId = nodeIdOfWorker(consumer.workerId);
  const unopened = views.filter((view) => openAll || !view.pipeOpen);
  const legs = new Map<string, Leg[]>();
  const pairs = await openLegs(context, consumer, unopened, legs);
  const request: CallOf<"watch"> = {
    op: "watch",
    roomId: session.roomId,
    sessionId: session.sessionId,
    worker: consumer,
    transportId,
    dtlsParameters: viewer.dtlsParameters,
    rtpCapabilities: viewer.rtpCapabilities,
    pairs: pairs.map(({ peer, fromProducer }) => ({ peer, remote: fromProducer })),
    views: views.map((view) => ({
      viewId: view.viewId,
      broadcastId: view.broadcastId,
      generation: view.generation,
      producer: view.producer,
      legs: legs.get(view.broadcastId),
      kinds: viewer.kinds,
      preferredLayers: viewer.preferredLayers,
      priority: viewer.priority,
      paused: false,
    })),
  };
  const [result] = await Promise.all([
    callNode(env, nodeId, request, afterSeq[nodeId]),
    ...pairs.map(({ peer, fromConsumer }) =>
      callNode(env, nodeIdOfWorker(peer.workerId), {
        op: "connect-pair",
        worker: peer,
        peer: consumer,
        remote: fromConsumer,
      }),
    ),
  ]);
  return result;
}

interface Pair {
  peer: WorkerRef;
  fromProducer: PipeEndpoint;
  fromConsumer: PipeEndpoint;
}

/** Makes legs on the producer workers and, at the same time, their far ends. */
async function openLegs(
  { env, afterSeq }: Context,
  consumer: WorkerRef,
  views: ClaimedView[],
  legs: Map<string, Leg[]>,
): Promise<Pair[]> {
  if (views.length === 0) return [];
  const byProducer = [...Map.groupBy(views, (view) => view.producer.workerId).values()];
  const peers = byProducer.flatMap(([view]) => (view ? [view.producer] : []));
  const consumerNode = nodeIdOfWorker(consumer.workerId);
  const [near, ...far] = await Promise.all([
    callNode(
      env,
      consumerNode,
      { op: "open-pairs", worker: consumer, peers },
      afterSeq[consumerNode],
    ),
    ...byProducer.map((group) => {
      const nodeId = nodeIdOfWorker(group[0]?.producer.workerId ?? "");
      const pipes = group.map(({ broadcastId, producer, generation }) => ({
        broadcastId,
        producer,
        consumer,
        generation,
      }));
      return callNode(env, nodeId, { op: "open-legs", pipes }, afterSeq[nodeId]);
    }),
  ]);
  return far.flatMap(({ pipes }, at) => {
    let fromProducer: PipeEndpoint | undefined;
    for (const pipe of pipes) {
      if (pipe.status !== "open") continue;
      legs.set(pipe.broadcastId, pipe.legs);
      fromProducer = pipe.endpoint;
    }
    const peer = peers[at];
    const fromConsumer = near.endpoints[at];
    return peer && fromProducer && fromConsumer
      ? [{ peer, fromProducer, fromConsumer }]
      : [];
  });
}
