import type { Agent } from "./agent.ts";
import { refOf } from "./media/context.ts";
import type { Media } from "./media/media.ts";
import type { WorkerLife } from "./media/worker-pool.ts";

/** mediasoup's own counts of one worker. */
export interface MediasoupCounts {
  transports: number;
  pipeTransports: number;
  producers: number;
  consumers: number;
}

async function countsOf(
  life: WorkerLife,
  media: Media | undefined,
): Promise<MediasoupCounts> {
  const dump = await life.router.dump();
  const pipeIds = new Set(media?.pairs.all.map((pair) => pair.transport.id));
  return {
    transports: dump.transportIds.length,
    pipeTransports: dump.transportIds.filter((id) => pipeIds.has(id)).length,
    producers: dump.mapProducerIdConsumerIds.length,
    consumers: dump.mapConsumerIdProducerId.length,
  };
}

function recordsOf(media: Media) {
  const { context, sending, legs, piped, receiving } = media;
  return {
    broadcasts: sending.all.map(({ broadcastId, transport, tracks }) => ({
      broadcastId,
      sessionId: transport.sessionId,
      transportId: transport.id,
      ...refOf(context, transport.life),
      tracks: [...tracks].map(([trackId, { producer, source }]) => {
        return { trackId, kind: producer.kind, source, paused: producer.paused };
      }),
    })),
    pipes: {
      outgoing: legs.all.map(
        ({ broadcastId, producer, consumer, generation, legs: byTrack }) => {
          const tracks = [...byTrack.keys()];
          return { broadcastId, producer, consumer, generation, tracks };
        },
      ),
      incoming: piped.all.map(
        ({ broadcastId, producer, consumer, generation, tracks }) => ({
          broadcastId,
          producer,
          consumer,
          generation,
          tracks: [...tracks].map(([trackId, track]) => {
            return { trackId, paused: track.producer.paused };
          }),
        }),
      ),
    },
    views: receiving.all.map((view) => ({
      viewId: view.viewId,
      broadcastId: view.broadcastId,
      generation: view.generation,
      sessionId: view.transport.sessionId,
      transportId: view.transport.id,
      ...refOf(context, view.transport.life),
      paused: view.wishes.paused,
      consumers: [...view.consumers.values()].map(({ consumer, trackId }) => {
        return { trackId, paused: consumer.paused };
      }),
    })),
  };
}

/**
 * Everything that the agent has, beside mediasoup's own counts of it, so that
 * the two, and the database, can be held against each other.
 */
export async function stateOf(agent: Agent) {
  const { registration, draining } = agent;
  const media = registration?.media;
  const workers = await Promise.all(
    agent.pool.lives.map(async (life) => ({
      ordinal: life.ordinal,
      workerId: media ? refOf(media.context, life).workerId : undefined,
      incarnation: life.incarnation,
      role: life.role,
      mediaClass: life.mediaClass,
      pid: life.worker.pid,
      cpuPercent: agent.cpuPercent(life.incarnation),
      mediasoup: await countsOf(life, media),
    })),
  );
  const none = { broadcasts: [], pipes: { outgoing: [], incoming: [] }, views: [] };
  return {
    registered: registration !== undefined,
    draining,
    nodeId: registration?.answer.nodeId,
    epoch: registration?.answer.epoch,
    ackSeq: registration?.inbox.ackSeq,
    claims: registration?.claims,
    waitingToReport: registration?.reporter.waiting ?? 0,
    workers,
    ...(media ? recordsOf(media) : none),
  };
}

export type AgentState = Awaited<ReturnType<typeof stateOf>>;
