import type { ConsumerParametersWire } from "#schema/agent/call-results.ts";
import type { WorkerRef } from "#schema/agent/instructions.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import type { DrivenNode } from "./driven-node.ts";
import type { RtpPeer } from "./rtp-peer.ts";

const video = {
  kind: "video" as const,
  source: "camera" as const,
  ssrc: 2_000_000,
  codec: {
    mimeType: "video/VP8",
    payloadType: 101,
    clockRate: 90_000,
    rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }],
  },
};
const audio = {
  kind: "audio" as const,
  source: "microphone" as const,
  ssrc: 1_000_000,
  codec: {
    mimeType: "audio/opus",
    payloadType: 100,
    clockRate: 48_000,
    channels: 2,
    parameters: { useinbandfec: 1 },
  },
};

let serial = 0;

/** A broadcaster with ids of its own, sending real RTP to a node. */
export class TestBroadcast {
  readonly number: number;
  readonly broadcastId: string;
  readonly scope: { roomId: string; sessionId: string };
  readonly transportId: string;
  readonly node: DrivenNode;
  readonly worker: WorkerRef;
  readonly peer: RtpPeer;
  maxIncomingKbps = 2000;

  constructor(node: DrivenNode, ordinal: number, peer: RtpPeer) {
    serial += 1;
    this.number = serial;
    this.broadcastId = `broadcast_t_${serial}`;
    this.scope = { roomId: "room_t_1", sessionId: `session_t_b${serial}` };
    this.transportId = `transport_t_b${serial}`;
    this.node = node;
    this.worker = node.workerRef(ordinal);
    this.peer = peer;
  }

  /** The id of its track of a kind. */
  trackId(kind: "audio" | "video"): string {
    return `track_t_${this.number}-${kind}`;
  }

  /** Opens the transport, connects, and produces the kinds asked for. */
  async start(kinds: ("audio" | "video")[] = ["audio", "video"]): Promise<this> {
    const { node, worker, broadcastId, transportId, peer } = this;
    const { transport } = await node.ask({
      op: "open-send-transport",
      ...this.scope,
      worker,
      transportId,
      broadcastId,
      maxIncomingKbps: this.maxIncomingKbps,
      dtlsParameters: peer.dtlsParameters,
    });
    await peer.connect(transport);
    for (const kind of kinds) await this.produce(kind);
    return this;
  }

  /** Produces a track and begins to send it. */
  async produce(kind: "audio" | "video"): Promise<void> {
    const ssrc = await this.announce(kind);
    this.peer.sendSteadily(kind, ssrc);
  }

  /** Produces a track without sending it. @returns the SSRC that it is expected on */
  async announce(kind: "audio" | "video"): Promise<number> {
    const { source, ssrc, codec } = kind === "video" ? video : audio;
    await this.node.ask({
      op: "produce",
      ...this.scope,
      transportId: this.transportId,
      broadcastId: this.broadcastId,
      trackId: this.trackId(kind),
      kind,
      source,
      rtpParameters: { codecs: [codec], encodings: [{ ssrc: ssrc + this.number }] },
      paused: false,
    });
    return ssrc + this.number;
  }
}

/** Connects the pair of two workers as control does, before any pipe. */
export async function connectPair(
  from: { node: DrivenNode; worker: WorkerRef },
  to: { node: DrivenNode; worker: WorkerRef },
): Promise<void> {
  const { endpoints } = await to.node.ask({
    op: "open-pairs",
    worker: to.worker,
    peers: [from.worker],
  });
  const [remote] = endpoints;
  if (!remote) throw new Error("no endpoint");
  await from.node.ask({
    op: "connect-pair",
    worker: from.worker,
    peer: to.worker,
    remote,
  });
}

/** Asks the producer side for legs and returns what `watch` needs of them. */
export async function openLegs(
  broadcast: TestBroadcast,
  consumer: WorkerRef,
  generation: number,
) {
  const { broadcastId, worker: producer } = broadcast;
  const { pipes } = await broadcast.node.ask({
    op: "open-legs",
    pipes: [{ broadcastId, producer, consumer, generation }],
  });
  const [pipe] = pipes;
  if (pipe?.status !== "open") throw new Error(`legs: ${pipe?.reason}`);
  const pairs = [{ peer: producer, remote: pipe.endpoint }];
  return { pairs, legs: pipe.legs };
}

/** A viewer with ids of its own on one consumer worker. */
export class TestViewer {
  readonly scope: { roomId: string; sessionId: string };
  readonly transportId: string;
  readonly viewId: string;
  readonly node: DrivenNode;
  readonly worker: WorkerRef;
  readonly peer: RtpPeer;
  consumers: ConsumerParametersWire[] = [];

  constructor(node: DrivenNode, ordinal: number, peer: RtpPeer) {
    serial += 1;
    this.scope = { roomId: "room_t_1", sessionId: `session_t_v${serial}` };
    this.transportId = `transport_t_v${serial}`;
    this.viewId = `view_t_${serial}`;
    this.node = node;
    this.worker = node.workerRef(ordinal);
    this.peer = peer;
  }

  /** The body of this viewer's `watch`. */
  request(
    broadcast: TestBroadcast,
    generation: number,
    opened?: Awaited<ReturnType<typeof openLegs>>,
  ) {
    return {
      op: "watch" as const,
      ...this.scope,
      worker: this.worker,
      transportId: this.transportId,
      dtlsParameters: this.peer.dtlsParameters,
      rtpCapabilities: {
        codecs: this.node.registration.routerRtpCapabilities.codecs ?? [],
        headerExtensions: [],
      },
      pairs: opened?.pairs ?? [],
      views: [
        {
          viewId: this.viewId,
          broadcastId: broadcast.broadcastId,
          generation,
          producer: broadcast.worker,
          legs: opened?.legs,
          kinds: ["audio" as const, "video" as const],
          paused: false,
        },
      ],
    };
  }

  /** Watches, connects, and keeps the consumers that came. */
  async watch(
    broadcast: TestBroadcast,
    generation: number,
    opened?: Awaited<ReturnType<typeof openLegs>>,
  ) {
    const result = await this.node.ask(this.request(broadcast, generation, opened));
    const [view] = result.views;
    if (view?.status !== "ready") throw new Error(`watch: ${view?.reason}`);
    this.consumers = view.consumers;
    if (result.transportIsNew) await this.peer.connect(result.transport);
    return result;
  }

  /** Packets of a kind that came so far. */
  packets(kind: "audio" | "video"): number {
    const consumer = this.consumers.find((one) => one.kind === kind);
    const ssrc = consumer?.rtpParameters.encodings?.[0]?.ssrc as number | undefined;
    return ssrc === undefined ? 0 : this.peer.packetsOf(ssrc);
  }

  /** Waits for so many more packets of a kind than came so far. */
  async moreOf(kind: "audio" | "video", count = 10): Promise<void> {
    const before = this.packets(kind);
    const what = `${count} more ${kind} packets (had ${before})`;
    await waitFor(() => this.packets(kind) >= before + count, { what });
  }
}
