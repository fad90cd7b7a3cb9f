import { FakeMediaStreamTrack } from "fake-mediastreamtrack";
import type { types } from "mediasoup-client";
import { EnhancedEventEmitter } from "mediasoup-client/enhancedEvents";
import { RtpConnection } from "./rtp-connection.ts";

/** Told of every packet of a track that the client receives and has not closed. */
export type OnPacket = (streamId: string, kind: "audio" | "video") => void;

const codecs: Record<"audio" | "video", types.RtpCodecCapability> = {
  audio: {
    kind: "audio",
    mimeType: "audio/opus",
    preferredPayloadType: 100,
    clockRate: 48_000,
    channels: 2,
    parameters: { useinbandfec: 1 },
  },
  video: {
    kind: "video",
    mimeType: "video/VP8",
    preferredPayloadType: 101,
    clockRate: 90_000,
    parameters: {},
    rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }],
  },
};

// Few packets, so that many clients fit beside what they are to test.
const packetMs = { audio: 250, video: 100 };

let lastSsrc = 1000;

interface Received {
  ssrc: number;
  streamId: string;
  kind: "audio" | "video";
  packets: number;
}

/** What a browser's receiver would count. */
type Stats = Map<string, Record<string, unknown>>;

/**
 * mediasoup-client's way to the network where there is no browser: real ICE,
 * DTLS and SRTP, with packets made by hand. One for each transport.
 */
export class RtpHandler extends EnhancedEventEmitter<types.HandlerEvents> {
  readonly name = "RtpHandler";
  readonly #connection: RtpConnection;
  readonly #onPacket: OnPacket;
  readonly #sent = new Map<string, { kind: "audio" | "video"; ssrc: number }>();
  readonly #received = new Map<string, Received>();
  readonly #bySsrc = new Map<number, Received>();
  #lastId = 0;

  constructor(options: types.HandlerOptions, onPacket: OnPacket) {
    super();
    this.#onPacket = onPacket;
    this.#connection = new RtpConnection(options, {
      announce: (dtlsParameters) =>
        new Promise((resolve, reject) => {
          this.emit("@connect", { dtlsParameters }, resolve, reject);
        }),
      became: (state) => this.emit("@connectionstatechange", state),
      packet: (ssrc) => this.#take(ssrc),
    });
  }

  /** What `Device.factory` takes, for one client. */
  static factory(
    onPacket: OnPacket,
    made: (handler: RtpHandler) => void,
  ): types.HandlerFactory {
    return {
      name: "RtpHandler",
      factory: (options) => {
        const handler = new RtpHandler(options, onPacket);
        made(handler);
        return handler as unknown as types.HandlerInterface;
      },
      getNativeRtpCapabilities: async () => ({
        codecs: structuredClone(Object.values(codecs)),
        headerExtensions: [],
      }),
    };
  }

  override close(): void {
    if (this.#connection.closed) return;
    this.#connection.close();
    super.close();
  }

  /** Falls silent without a word, as a host whose network is cut. */
  vanish(): void {
    this.#connection.vanish();
  }

  /** Breaks the connection beneath the transport; both sides learn of it. */
  break(): Promise<void> {
    return this.#connection.break();
  }

  async updateIceServers(): Promise<void> {}

  async restartIce({ usernameFragment, password }: types.IceParameters): Promise<void> {
    this.#connection.peer?.ice.setRemoteParams({
      iceLite: true,
      usernameFragment,
      password,
    });
  }

  async getTransportStats(): Promise<Stats> {
    const entries = [...this.#received.values()].map(inboundOf);
    return new Map(entries.map((entry) => [entry.id, entry]));
  }

  async send({ track }: types.HandlerSendOptions): Promise<types.HandlerSendResult> {
    const kind = track.kind as "audio" | "video";
    const peer = await this.#connection.open();
    lastSsrc += 1;
    const ssrc = lastSsrc;
    this.#lastId += 1;
    const localId = String(this.#lastId);
    this.#sent.set(localId, { kind, ssrc });
    peer.sendSteadily(kind, ssrc, packetMs[kind]);
    const { preferredPayloadType: payloadType = 0, ...codec } = codecs[kind];
    const rtpParameters = {
      codecs: [{ ...structuredClone(codec), payloadType }],
      headerExtensions: [],
      encodings: [{ ssrc }],
      rtcp: { cname: `c${ssrc}` },
    };
    return { localId, rtpParameters, rtpSender: this.#endpoint() as RTCRtpSender };
  }

  async stopSending(localId: string): Promise<void> {
    this.#silence(localId);
    this.#sent.delete(localId);
  }

  async pauseSending(localId: string): Promise<void> {
    this.#silence(localId);
  }

  async resumeSending(localId: string): Promise<void> {
    const sent = this.#sent.get(localId);
    if (!sent) return;
    const { kind, ssrc } = sent;
    this.#connection.peer?.sendSteadily(kind, ssrc, packetMs[kind]);
  }

  async replaceTrack(): Promise<void> {}
  async setMaxSpatialLayer(): Promise<void> {}
  async setRtpEncodingParameters(): Promise<void> {}

  async getSenderStats(): Promise<Stats> {
    return new Map();
  }

  async receive(
    list: types.HandlerReceiveOptions[],
  ): Promise<types.HandlerReceiveResult[]> {
    const results = list.map(({ kind, streamId = "", rtpParameters }) => {
      this.#lastId += 1;
      const localId = String(this.#lastId);
      const ssrc = rtpParameters.encodings?.[0]?.ssrc ?? 0;
      const received = { ssrc, streamId, kind, packets: 0 };
      this.#received.set(localId, received);
      this.#bySsrc.set(ssrc, received);
      const track = new FakeMediaStreamTrack({ kind }) as unknown as MediaStreamTrack;
      return { localId, track, rtpReceiver: this.#endpoint() as RTCRtpReceiver };
    });
    await this.#connection.open();
    return results;
  }

  async stopReceiving(localIds: string[]): Promise<void> {
    for (const localId of localIds) {
      const received = this.#received.get(localId);
      this.#received.delete(localId);
      if (received && this.#bySsrc.get(received.ssrc) === received) {
        this.#bySsrc.delete(received.ssrc);
      }
    }
  }

  async pauseReceiving(): Promise<void> {}
  async resumeReceiving(): Promise<void> {}

  async getReceiverStats(localId: string): Promise<Stats> {
    const received = this.#received.get(localId);
    if (!received) return new Map();
    const entry = inboundOf(received);
    return new Map([[entry.id, entry]]);
  }

  async sendDataChannel(): Promise<never> {
    throw new Error("There are no data channels.");
  }

  async receiveDataChannel(): Promise<never> {
    throw new Error("There are no data channels.");
  }

  getDataChannelMaxMessageSize(): undefined {
    return undefined;
  }

  #take(ssrc: number): void {
    const received = this.#bySsrc.get(ssrc);
    if (!received) return;
    received.packets += 1;
    this.#onPacket(received.streamId, received.kind);
  }

  #endpoint(): unknown {
    return { transport: this.#connection.dtls };
  }

  #silence(localId: string): void {
    const sent = this.#sent.get(localId);
    if (sent) this.#connection.peer?.stopSending(sent.ssrc);
  }
}

/** Every packet is a keyframe, so each one that came is a decoded picture. */
function inboundOf({ kind, ssrc, packets }: Received) {
  const frames = kind === "video" ? packets : undefined;
  return {
    id: `in-${ssrc}`,
    type: "inbound-rtp",
    kind,
    ssrc,
    packetsReceived: packets,
    bytesReceived: packets * 20,
    framesDecoded: frames,
    framesReceived: frames,
    keyFramesDecoded: frames,
  };
}
