import type { Watched } from "#schema/api/media.ts";
import type { Entry } from "#schema/api/rooms.ts";
import { RtpPeer } from "#test/agent/rtp-peer.ts";
import { rtpParametersOf } from "#test/control/media.ts";
import { waitFor } from "#test/harness/wait-for.ts";
import type { RunningWeir } from "./running-weir.ts";

/** Fewer packets than a camera sends: many guests have to fit on one machine. */
const packetEveryMs = 100;

/** By which mediasoup knows who speaks. */
const soundLevel = { uri: "urn:ietf:params:rtp-hdrext:ssrc-audio-level", id: 10 };

const frameEveryMs = (frame?: Buffer) => (frame ? 2 * packetEveryMs : packetEveryMs);

function sendSound(peer: RtpPeer, ssrc: number, loud: boolean): void {
  const format = { payloadType: 100, payload: Buffer.from([0xf8, 0xff, 0xfe]) };
  const level = { id: soundLevel.id, dbov: loud ? 10 : 127 };
  peer.sendSteadily("audio", ssrc, loud ? 20 : packetEveryMs, { ...format, level });
}

/**
 * A participant without a browser: it enters by the HTTP API, keeps its channel
 * open, and sends and receives real RTP.
 */
export class RtpGuest {
  readonly #weir: RunningWeir;
  readonly #entry: Entry;
  readonly #channel: WebSocket;
  readonly #peers: RtpPeer[] = [];
  /** A channel closes a socket from which nothing comes. */
  readonly #pings = setInterval(() => {
    if (this.#channel.readyState === WebSocket.OPEN) this.#channel.send("ping");
  }, 5000);
  /** Its own broadcast, once it is live. */
  broadcastId: string | undefined;
  #speak: ((loud: boolean) => void) | undefined;
  /** SSRCs of the sound that is received, by broadcast. */
  readonly #sound = new Map<string, number>();

  private constructor(weir: RunningWeir, entry: Entry) {
    this.#weir = weir;
    this.#entry = entry;
    this.#channel = new WebSocket(new URL(entry.channelPath, weir.url));
    this.#channel.addEventListener("open", () => {
      const { credential, eventSeq: afterSeq } = entry;
      this.#channel.send(JSON.stringify({ type: "hello", credential, afterSeq }));
    });
  }

  /** Enters a room of the lobby. */
  static async enter(weir: RunningWeir, roomId: string, identity: string) {
    const tokens = `/v1/lobby/rooms/${roomId}/tokens`;
    const { token } = await weir.call("POST", tokens, undefined, { identity });
    const sessions = `/v1/rooms/${roomId}/sessions`;
    return new RtpGuest(weir, await weir.call("POST", sessions, token, {}));
  }

  /**
   * Sends sound and a picture.
   * @param frame one VP8 keyframe, sent over and over; else one that nobody can decode
   * @returns its id
   */
  async goLive(frame?: Buffer): Promise<string> {
    const peer = await this.#peer();
    const path = `/v1/sessions/${this.#entry.session.id}/broadcasts`;
    const { dtlsParameters } = peer;
    const created = await this.#call("POST", path, { media: "camera", dtlsParameters });
    await peer.connect(created.transport);
    for (const kind of ["audio", "video"] as const) {
      const rtpParameters = {
        ...rtpParametersOf(kind),
        headerExtensions: kind === "audio" ? [soundLevel] : [],
      };
      const source = kind === "audio" ? "microphone" : "camera";
      const track = { kind, source, rtpParameters };
      await this.#call("POST", `/v1/broadcasts/${created.id}/tracks`, track);
      const ssrc = rtpParameters.encodings[0]?.ssrc ?? 0;
      const payload = frame && Buffer.concat([Buffer.from([0x10]), frame]);
      const picture = payload && { payloadType: 101, payload };
      if (kind === "video") peer.sendSteadily(kind, ssrc, frameEveryMs(frame), picture);
      else this.#speak = (loud) => sendSound(peer, ssrc, loud);
    }
    this.#speak?.(false);
    this.broadcastId = created.id;
    return created.id;
  }

  /** Watches everyone: hears them all, and has no picture sent. */
  async watchAll(count: number): Promise<void> {
    const first = await this.#peer();
    const body = {
      broadcasts: "all",
      pausedKinds: ["video"],
      rtpCapabilities: this.#entry.routerRtpCapabilities,
      dtlsParameters: first.dtlsParameters,
    };
    const path = `/v1/sessions/${this.#entry.session.id}/views`;
    const free = [first];
    const connected = new Set<string>();
    await waitFor(
      async () => {
        const watched: Watched = await this.#call("POST", path, body);
        for (const transport of watched.transports) {
          if (connected.has(transport.id)) continue;
          connected.add(transport.id);
          await (free.pop() ?? (await this.#peer())).connect(transport);
        }
        for (const view of watched.views) if (view.status === "ready") this.#hear(view);
        return this.#sound.size === count;
      },
      { what: `${count} views to be ready`, timeoutMs: 20_000 },
    );
  }

  /** The broadcasts of which sound has arrived. */
  get heard(): string[] {
    const heard = [...this.#sound].filter(([, ssrc]) =>
      this.#peers.some((peer) => peer.packetsOf(ssrc) > 0),
    );
    return heard.map(([broadcastId]) => broadcastId);
  }

  /** Speaks up, or is quiet again. */
  speak(loud: boolean): void {
    this.#speak?.(loud);
  }

  async leave(): Promise<void> {
    clearInterval(this.#pings);
    this.#channel.close();
    await Promise.all(this.#peers.map((peer) => peer.vanish()));
  }

  #hear(view: Extract<Watched["views"][number], { status: "ready" }>): void {
    const sound = view.consumers.find(({ kind }) => kind === "audio");
    const ssrc = sound?.rtpParameters.encodings?.[0]?.ssrc;
    if (typeof ssrc === "number") this.#sound.set(view.broadcastId, ssrc);
  }

  async #peer(): Promise<RtpPeer> {
    const peer = await RtpPeer.create();
    this.#peers.push(peer);
    return peer;
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers have many shapes.
  #call(method: string, path: string, body: unknown): Promise<any> {
    return this.#weir.call(method, path, this.#entry.credential, body);
  }
}
