import {
  IceCandidate,
  RTCDtlsFingerprint,
  RTCDtlsParameters,
  RTCDtlsTransport,
  RTCIceGatherer,
  RTCIceTransport,
  RtpHeader,
  type RtpPacket,
} from "werift";
import type { TransportParametersWire } from "#schema/media.ts";

/** An ICE candidate as mediasoup offers it. */
interface Offered {
  foundation: string;
  ip: string;
  port: number;
  priority: number;
  type: string;
  protocol: string;
}

/** RTP that a peer received on one SSRC. */
export interface Received {
  packets: number;
  payloads: Buffer[];
  payloadType: number;
}

/**
 * A WebRTC client without a browser: real ICE, DTLS and SRTP over UDP, and RTP
 * packets made by hand.
 */
export class RtpPeer {
  readonly ice: RTCIceTransport;
  readonly dtls: RTCDtlsTransport;
  readonly received = new Map<number, Received>();
  /** Called for every packet that came, with its SSRC. */
  onPacket: ((ssrc: number) => void) | undefined;
  readonly #counts = new Map<number, number>();
  readonly #timers = new Map<number, NodeJS.Timeout>();

  private constructor(ice: RTCIceTransport, dtls: RTCDtlsTransport) {
    this.ice = ice;
    this.dtls = dtls;
    dtls.onRtp.subscribe((packet) => this.#count(packet));
  }

  /** Makes a peer with a certificate, connected to nothing yet. */
  static async create(): Promise<RtpPeer> {
    await RTCDtlsTransport.SetupCertificate();
    const gatherer = new RTCIceGatherer({
      additionalHostAddresses: ["127.0.0.1"],
      useIpv6: false,
    });
    const ice = new RTCIceTransport(gatherer);
    const dtls = new RTCDtlsTransport({}, ice, undefined, [1, 7]);
    dtls.role = "client";
    return new RtpPeer(ice, dtls);
  }

  /** What the far side has to know before it can accept this peer. */
  get dtlsParameters() {
    const fingerprints = this.dtls.localParameters.fingerprints.map((one) => ({
      algorithm: one.algorithm,
      value: one.value,
    }));
    return { role: "client" as const, fingerprints };
  }

  /** Connects to a mediasoup WebRtcTransport; resolves once DTLS is up. */
  async connect(remote: TransportParametersWire): Promise<void> {
    const { usernameFragment, password } = remote.iceParameters as Record<string, string>;
    await this.ice.gather();
    this.ice.connection.iceControlling = true;
    this.ice.setRemoteParams({
      iceLite: true,
      usernameFragment: usernameFragment ?? "",
      password: password ?? "",
    });
    for (const raw of remote.iceCandidates) {
      const { foundation, ip, port, priority, type, protocol } =
        raw as unknown as Offered;
      if (protocol !== "udp") continue;
      await this.ice.addRemoteCandidate(
        new IceCandidate(1, foundation, ip, port, priority, "udp", type),
      );
    }
    await this.ice.connection.addRemoteCandidate(undefined);
    const fingerprints = remote.dtlsParameters.fingerprints.map(
      ({ algorithm, value }) => new RTCDtlsFingerprint(algorithm, value),
    );
    this.dtls.setRemoteParams(new RTCDtlsParameters(fingerprints, "server"));
    await this.ice.start();
    await this.dtls.start();
  }

  /**
   * Sends packets until stopped; video packets are VP8 keyframes.
   * @param everyMs time from one packet to the next
   * @param format another payload type and what is sent under it
   */
  sendSteadily(
    kind: "audio" | "video",
    ssrc: number,
    everyMs = 20,
    format?: {
      payloadType: number;
      payload: Buffer;
      /** The sound's level in dB below the loudest, under an extension's id. */
      level?: { id: number; dbov: number };
    },
  ): void {
    const clockStep = (kind === "video" ? 90 : 48) * everyMs;
    // A VP8 descriptor that starts a partition, then a keyframe's frame tag.
    const vp8 = Buffer.from([0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0]);
    const usual = kind === "video" ? vp8 : Buffer.from([0xf8, 0xff, 0xfe]);
    const payload = format?.payload ?? usual;
    const { level } = format ?? {};
    const extension = level && {
      extension: true,
      extensionProfile: 0xbede as const,
      extensions: [{ id: level.id, payload: Buffer.from([level.dbov]) }],
    };
    // One that goes on in another way goes on counting.
    let count = this.#counts.get(ssrc) ?? 0;
    this.stopSending(ssrc);
    const timer = setInterval(() => {
      count += 1;
      const header = new RtpHeader({
        ssrc,
        payloadType: format?.payloadType ?? (kind === "video" ? 101 : 100),
        sequenceNumber: count & 0xffff,
        timestamp: (count * clockStep) >>> 0,
        marker: true,
        ...extension,
      });
      this.#counts.set(ssrc, count);
      void this.dtls.sendRtp(payload, header);
    }, everyMs);
    this.#timers.set(ssrc, timer);
  }

  /** Sends nothing more on an SSRC. */
  stopSending(ssrc: number): void {
    clearInterval(this.#timers.get(ssrc));
    this.#timers.delete(ssrc);
  }

  /** Grows with everything that came from the far side, ICE's answers included. */
  get heard(): number {
    const pair = this.ice.connection.nominated;
    return (pair?.responsesReceived ?? 0) + (pair?.packetsReceived ?? 0);
  }

  /** Packets that came so far on an SSRC. */
  packetsOf(ssrc: number): number {
    return this.received.get(ssrc)?.packets ?? 0;
  }

  /** Asks for consent no more, as GStreamer does not once it is connected. */
  stopConsent(): void {
    // werift has no word for it; without fresh consent it would send no media either.
    const connection = this.ice.connection as unknown as {
      stopConsentLifecycle(): void;
      consentFresh: boolean;
    };
    connection.stopConsentLifecycle();
    connection.consentFresh = true;
  }

  /** Leaves without a word, as a client whose network is cut. */
  async vanish(): Promise<void> {
    for (const ssrc of [...this.#timers.keys()]) this.stopSending(ssrc);
    await this.ice.connection.close();
  }

  /** Leaves as a browser does, with a DTLS close_notify alert. */
  async leave(): Promise<void> {
    const socket = this.dtls.dtls;
    if (!socket) throw new Error("DTLS is not up.");
    // werift sends application data only: the record's type is changed to alert.
    const { cipher } = socket;
    const encryptPacket = cipher.encryptPacket.bind(cipher);
    cipher.encryptPacket = (packet) => {
      packet.recordLayerHeader.contentType = 21;
      return encryptPacket(packet);
    };
    await socket.send(Buffer.from([1, 0]));
    await this.vanish();
  }

  #count(packet: RtpPacket): void {
    const { ssrc, payloadType } = packet.header;
    this.onPacket?.(ssrc);
    const seen = this.received.get(ssrc) ?? { packets: 0, payloads: [], payloadType };
    seen.packets += 1;
    if (seen.payloads.length < 5) seen.payloads.push(Buffer.from(packet.payload));
    this.received.set(ssrc, seen);
  }
}
