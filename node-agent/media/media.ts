import type { CallResult } from "#schema/agent/call-results.ts";
import type { CallOf, CallOp } from "#schema/agent/calls.ts";
import type { PipeRef } from "#schema/agent/instructions.ts";
import { nodeIdOfWorker } from "#schema/ids.ts";
import { findLife, type MediaContext, refOf } from "./context.ts";
import { IceSessions } from "./ice-sessions.ts";
import { Ingest } from "./ingest.ts";
import { Legs } from "./legs.ts";
import { Pairs } from "./pairs.ts";
import { Piped } from "./piped.ts";
import { Playing } from "./playing.ts";
import { Receiving } from "./receiving.ts";
import { Sending } from "./sending.ts";
import { statsOf } from "./stats.ts";
import { type ClientTransport, Transports } from "./transports.ts";
import { Watching } from "./watching.ts";
import type { WorkerLife } from "./worker-pool.ts";

type CallHandlers = {
  [Op in CallOp]: (call: CallOf<Op>) => Promise<CallResult<Op>>;
};

/** All media of one registration; a new registration begins with none. */
export class Media {
  readonly context: MediaContext;
  readonly transports: Transports;
  readonly pairs: Pairs;
  readonly sending: Sending;
  readonly iceSessions: IceSessions;
  readonly ingest: Ingest;
  readonly legs: Legs;
  readonly piped: Piped;
  readonly receiving: Receiving;
  readonly watching: Watching;
  readonly playing: Playing;
  /** What each call does. */
  readonly handlers: CallHandlers;
  readonly #onReplaced: (died: WorkerLife, replacement: WorkerLife) => void;

  constructor(context: MediaContext) {
    this.context = context;
    this.transports = new Transports(context, {
      onConnected: (transport) => {
        this.receiving.reportActive(transport);
        this.#reportCarried(transport);
      },
      onLost: (transport, reason) => this.#reportLost(transport, reason),
      onClosed: (transport) => {
        this.sending.transportClosed(transport);
        this.receiving.transportClosed(transport);
        this.iceSessions.transportClosed(transport.id);
      },
    });
    this.pairs = new Pairs(context, (pair) => {
      this.legs.pairClosed(pair);
      this.piped.pairClosed(pair);
    });
    this.iceSessions = new IceSessions(this.transports);
    this.sending = new Sending(context, this.transports);
    this.ingest = new Ingest(context, this.sending, this.iceSessions);
    this.legs = new Legs(context, this.pairs, this.sending);
    this.piped = new Piped(context, this.pairs, (pipes) => this.#startLegs(pipes));
    this.receiving = new Receiving(context, this.piped, (transport) => {
      // A session that lives by this transport has nothing else to tell its end.
      if (transport.carries) this.drop(transport, "it carries nothing any more");
      else transport.webRtc.close();
    });
    const { transports, pairs, piped, receiving, iceSessions } = this;
    const parts = { transports, pairs, piped, receiving };
    this.watching = new Watching(context, parts);
    this.playing = new Playing(context, { ...parts, iceSessions });
    this.handlers = this.#makeHandlers();
    this.#onReplaced = (died, replacement) => this.reportReplaced(died, replacement);
    context.pool.on("replaced", this.#onReplaced);
  }

  /** Closes a client's transport and reports it lost. */
  drop(transport: ClientTransport, reason: string): void {
    this.#reportLost(transport, reason);
    transport.webRtc.close();
  }

  /** Closes the session's transports and all that lives on them. */
  closeSession(sessionId: string): void {
    this.transports.closeSession(sessionId);
  }

  /** Closes a broadcast, its legs, and what its pipes brought here. */
  closeBroadcast(broadcastId: string): void {
    this.legs.closeBroadcast(broadcastId);
    this.sending.closeBroadcast(broadcastId);
    this.piped.closeBroadcast(broadcastId);
  }

  /** Reports a worker's death, and the life that took its place. */
  reportReplaced(died: WorkerLife, replacement: WorkerLife): void {
    const { workerId, incarnation } = refOf(this.context, died);
    const replacedBy = replacement.incarnation;
    this.context.emit({ kind: "worker-died", workerId, incarnation, replacedBy });
  }

  /** Closes all media; the workers stay. */
  close(): void {
    this.context.pool.off("replaced", this.#onReplaced);
    this.transports.close();
    this.pairs.close();
    this.receiving.close();
  }

  #makeHandlers(): CallHandlers {
    const { sending, legs, receiving, transports, pairs, context } = this;
    return {
      "open-send-transport": (call) => sending.openTransport(call),
      "connect-transport": async (call) => {
        const transport = transports.get(call.transportId, call.sessionId);
        await transports.connect(transport, call.dtlsParameters);
        return {};
      },
      "restart-ice": async (call) => {
        const transport = transports.get(call.transportId, call.sessionId);
        transport.extendGrace();
        return { iceParameters: { ...(await transport.webRtc.restartIce()) } };
      },
      "patch-ice": (call) => this.iceSessions.patch(call),
      ingest: (call) => this.ingest.take(call),
      produce: (call) => sending.produce(call),
      "open-legs": (call) => legs.open(call),
      "start-legs": async (call) => {
        legs.start(call.pipes);
        return {};
      },
      "open-pairs": async (call) => {
        const life = findLife(context, call.worker);
        const made = await Promise.all(
          call.peers.map((peer) => pairs.ensure(life, peer)),
        );
        return { endpoints: made.map((pair) => pairs.endpointOf(pair)) };
      },
      "connect-pair": async (call) => {
        const life = findLife(context, call.worker);
        const pair = await pairs.ensure(life, call.peer);
        await pairs.connect(pair, call.remote);
        return {};
      },
      play: (call) => this.playing.play(call),
      watch: (call) => this.watching.watch(call),
      "resume-views": (call) => receiving.resumeViews(call),
      "update-views": (call) => receiving.updateViews(call),
      stats: async (call) => ({ stats: await statsOf(this, call.of) }),
      inventory: async () => this.#inventory(),
    };
  }

  /** Starts held legs, those of other nodes by way of control. */
  #startLegs(pipes: PipeRef[]): void {
    const isOwn = ({ producer }: PipeRef) =>
      nodeIdOfWorker(producer.workerId) === this.context.nodeId;
    this.legs.start(pipes.filter(isOwn));
    const far = pipes.filter((pipe) => !isOwn(pipe));
    if (far.length > 0) this.context.emit({ kind: "legs-wanted", pipes: far });
  }

  #reportCarried({ carries, roomId, sessionId }: ClientTransport): void {
    if (carries) this.context.emit({ kind: "session-carried", roomId, sessionId });
  }

  /** Everything that is here and has a row in the ledger, or should have. */
  #inventory(): CallResult<"inventory"> {
    const pipes = [...this.legs.all, ...this.piped.all];
    return {
      views: this.receiving.all.map(({ viewId, transport: { sessionId } }) => {
        return { viewId, sessionId };
      }),
      transports: this.transports.all.map(({ id, sessionId, direction }) => {
        return { transportId: id, sessionId, direction };
      }),
      pipes: pipes.map(({ broadcastId, producer, consumer, generation }) => {
        return { broadcastId, producer, consumer, generation };
      }),
    };
  }

  #reportLost(transport: ClientTransport, reason: string): void {
    const { roomId, sessionId, direction, broadcastId, id: transportId } = transport;
    // The broadcast has gone on to another transport: nothing was lost with this one.
    if (this.sending.isSuperseded(transport)) return;
    const viewIds = this.receiving.viewsOn(transport).map((view) => view.viewId);
    this.context.log.info({ transportId, direction, reason }, "transport lost");
    this.context.emit({
      kind: "transport-lost",
      roomId,
      sessionId,
      transportId,
      direction,
      broadcastId,
      viewIds,
      reason,
    });
  }
}
