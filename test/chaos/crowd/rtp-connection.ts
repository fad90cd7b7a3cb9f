import type { types } from "mediasoup-client";
import { RtpPeer } from "#test/agent/rtp-peer.ts";

// A browser calls a connection disconnected after some seconds without an answer.
const silentMs = 7000;
const lookMs = 500;

export interface RtpConnectionHost {
  /** Tells the SDK of this side's certificate; resolves once it has dealt with it. */
  announce(dtlsParameters: types.DtlsParameters): Promise<void>;
  became(state: types.ConnectionState): void;
  /** A packet came. */
  packet(ssrc: number): void;
}

/** One transport's ICE and DTLS, which tells of its state as a browser does. */
export class RtpConnection {
  /** What the SDK follows to learn that the far side has closed. */
  readonly dtls = Object.assign(new EventTarget(), { state: "new" });
  readonly #options: types.HandlerOptions;
  readonly #host: RtpConnectionHost;
  #peer: RtpPeer | undefined;
  #opening: Promise<RtpPeer> | undefined;
  #watching: ReturnType<typeof setInterval> | undefined;
  #state: types.ConnectionState = "new";
  #closed = false;

  constructor(options: types.HandlerOptions, host: RtpConnectionHost) {
    this.#options = options;
    this.#host = host;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Who sends and receives here, once it was opened. */
  get peer(): RtpPeer | undefined {
    return this.#peer;
  }

  /** Opens it at the first call; ICE and DTLS go on after that, as in browsers. */
  open(): Promise<RtpPeer> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Leaves with a word to the far side, where it was connected. */
  close(): void {
    this.#end();
    const connected = this.dtls.state === "connected";
    const ended = connected ? this.#peer?.leave() : this.#peer?.vanish();
    ended?.catch(() => undefined);
  }

  /** Falls silent without a word, as a host whose network is cut. */
  vanish(): void {
    if (this.#closed) return;
    this.#end();
    void this.#peer?.vanish();
  }

  /** Breaks beneath the transport; both sides learn of it. */
  async break(): Promise<void> {
    if (this.dtls.state !== "connected") return;
    clearInterval(this.#watching);
    await this.#peer?.leave();
    this.#follow("closed");
  }

  async #open(): Promise<RtpPeer> {
    const { iceParameters, iceCandidates, dtlsParameters, direction } = this.#options;
    const peer = await RtpPeer.create();
    this.#peer = peer;
    peer.onPacket = (ssrc) => this.#host.packet(ssrc);
    await this.#host.announce(peer.dtlsParameters as types.DtlsParameters);
    this.#become("connecting");
    const remote = {
      id: direction,
      iceParameters,
      iceCandidates: iceCandidates as unknown as Record<string, unknown>[],
      dtlsParameters: { ...dtlsParameters, role: "server" as const },
    };
    peer.connect(remote as Parameters<RtpPeer["connect"]>[0]).then(
      () => this.#connected(peer),
      () => this.#become("failed"),
    );
    return peer;
  }

  #connected(peer: RtpPeer): void {
    if (this.#closed) return void peer.vanish();
    this.#become("connected");
    this.#follow("connected");
    peer.dtls.onStateChange.subscribe((state) => {
      if (state === "closed" || state === "failed") this.#follow(state);
    });
    let heard = -1;
    let heardAtMs = performance.now();
    this.#watching = setInterval(() => {
      const nowMs = performance.now();
      if (peer.heard !== heard) {
        heard = peer.heard;
        heardAtMs = nowMs;
      }
      this.#become(nowMs - heardAtMs > silentMs ? "disconnected" : "connected");
    }, lookMs);
  }

  #become(state: types.ConnectionState): void {
    if (this.#closed || this.#state === state) return;
    this.#state = state;
    this.#host.became(state);
  }

  #follow(state: string): void {
    if (this.#closed || this.dtls.state === state) return;
    this.dtls.state = state;
    this.dtls.dispatchEvent(new Event("statechange"));
  }

  #end(): void {
    this.#closed = true;
    clearInterval(this.#watching);
  }
}
