import * as sdpTransform from "sdp-transform";
import type { TransportParametersWire } from "#schema/media.ts";
import { RtpPeer } from "#test/agent/rtp-peer.ts";

/** A sequence parameter set, by which mediasoup knows a keyframe. */
const h264Keyframe = Buffer.from([0x67, 0x42, 0xe0, 0x1f, 0x8c, 0x8d, 0x40, 0x50]);

const ssrcs = { audio: 3_000_001, video: 3_000_002 };

/**
 * The offer that OBS Studio sends: ICE and DTLS at the session's level, a group
 * of lip synchronisation beside the bundle, one encoding, and no candidate to
 * come later.
 */
export function obsOffer(fingerprint: string, ice: { ufrag: string; pwd: string }) {
  return [
    "v=0",
    "o=rtc 2890844526 0 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0 1",
    "a=group:LS 0 1",
    "a=msid-semantic:WMS *",
    "a=setup:actpass",
    `a=ice-ufrag:${ice.ufrag}`,
    `a=ice-pwd:${ice.pwd}`,
    "a=ice-options:ice2,trickle",
    `a=fingerprint:sha-256 ${fingerprint}`,
    "m=audio 53421 UDP/TLS/RTP/SAVPF 111",
    "c=IN IP4 127.0.0.1",
    "a=mid:0",
    "a=sendonly",
    "a=msid:obs-stream obs-audio",
    `a=ssrc:${ssrcs.audio} cname:obs`,
    `a=ssrc:${ssrcs.audio} msid:obs-stream obs-audio`,
    "a=rtcp-mux",
    "a=rtpmap:111 opus/48000/2",
    "a=fmtp:111 minptime=10;maxaveragebitrate=96000;stereo=1;sprop-stereo=1;useinbandfec=1",
    "a=candidate:1 1 UDP 2114977791 127.0.0.1 53421 typ host",
    "a=end-of-candidates",
    "m=video 53421 UDP/TLS/RTP/SAVPF 96",
    "c=IN IP4 127.0.0.1",
    "a=mid:1",
    "a=sendonly",
    "a=msid:obs-stream obs-video",
    `a=ssrc:${ssrcs.video} cname:obs`,
    `a=ssrc:${ssrcs.video} msid:obs-stream obs-video`,
    "a=rtcp-mux",
    "a=rtpmap:96 H264/90000",
    "a=rtcp-fb:96 nack",
    "a=rtcp-fb:96 nack pli",
    "a=rtcp-fb:96 goog-remb",
    "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1",
    "",
  ].join("\r\n");
}

/** An offer with sections that have no port of their own, as GStreamer writes it. */
export function bundleOnly(offer: string): string {
  const [session = "", first = "", ...rest] = offer.split(/^(?=m=)/m);
  const others = rest.map((section) =>
    section.replace(/^(m=\w+) \d+/, "$1 0").replace("a=mid", "a=bundle-only\r\na=mid"),
  );
  return [session, first, ...others].join("");
}

/** The offer of a player that wants sound and H264 under payload types of its own. */
export function playerOffer(peer: RtpPeer, types: { opus: number; h264: number }) {
  const { usernameFragment, password } = peer.ice.localParameters;
  const { opus, h264 } = types;
  const common = [
    "c=IN IP4 0.0.0.0",
    "a=recvonly",
    "a=rtcp-mux",
    `a=ice-ufrag:${usernameFragment}`,
    `a=ice-pwd:${password}`,
    `a=fingerprint:sha-256 ${peer.dtlsParameters.fingerprints[0]?.value}`,
    "a=setup:actpass",
  ];
  return [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE a v",
    `m=audio 9 UDP/TLS/RTP/SAVPF ${opus}`,
    "a=mid:a",
    ...common,
    `a=rtpmap:${opus} opus/48000/2`,
    `m=video 9 UDP/TLS/RTP/SAVPF ${h264}`,
    "a=mid:v",
    ...common,
    `a=rtpmap:${h264} H264/90000`,
    `a=rtcp-fb:${h264} nack`,
    `a=rtcp-fb:${h264} nack pli`,
    `a=fmtp:${h264} profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1`,
    "",
  ].join("\r\n");
}

/** What an answer says of the far side's transport. */
export function transportOf(answer: string): TransportParametersWire {
  const sdp = sdpTransform.parse(answer);
  const [media] = sdp.media.filter(({ port }) => port !== 0);
  const fingerprint = media?.fingerprint ?? sdp.fingerprint;
  return {
    id: "",
    iceParameters: { usernameFragment: media?.iceUfrag, password: media?.icePwd },
    iceCandidates: (media?.candidates ?? []).map(
      ({ foundation, ip, port, priority, type, transport: protocol }) => ({
        foundation,
        ip,
        port,
        priority: Number(priority),
        type,
        protocol,
      }),
    ),
    dtlsParameters: {
      fingerprints: [
        { algorithm: fingerprint?.type ?? "", value: String(fingerprint?.hash) },
      ],
    },
  };
}

/** An encoder with OBS's habits: real ICE, DTLS and SRTP, and H264 made by hand. */
export class ObsEncoder {
  readonly peer: RtpPeer;
  readonly offer: string;

  private constructor(peer: RtpPeer) {
    this.peer = peer;
    const { usernameFragment, password } = peer.ice.localParameters;
    const fingerprint = peer.dtlsParameters.fingerprints[0]?.value ?? "";
    this.offer = obsOffer(fingerprint, { ufrag: usernameFragment, pwd: password });
  }

  static async create(): Promise<ObsEncoder> {
    return new ObsEncoder(await RtpPeer.create());
  }

  /** Connects to what the answer names, and sends steadily from then on. */
  async stream(answer: string): Promise<void> {
    await this.peer.connect(transportOf(answer));
    this.send();
  }

  /** Sends sound, and keyframes of so many bytes. */
  send(frameBytes = h264Keyframe.length, everyMs = 20): void {
    const opus = Buffer.from([0xf8, 0xff, 0xfe]);
    this.peer.sendSteadily("audio", ssrcs.audio, 20, { payloadType: 111, payload: opus });
    const payload = Buffer.alloc(frameBytes, h264Keyframe);
    const video = { payloadType: 96, payload };
    this.peer.sendSteadily("video", ssrcs.video, everyMs, video);
  }

  /** Sends no media any more, and nothing else but what keeps it connected. */
  fallSilent(): void {
    for (const ssrc of Object.values(ssrcs)) this.peer.stopSending(ssrc);
  }
}
