import type { Device, types } from "mediasoup-client";
import type { TransportParametersWire } from "#schema/media.ts";
import type { SessionApi } from "./api.ts";
import { backoffMs, delay } from "./backoff.ts";
import type { Identification } from "./certificate.ts";
import { asWeirError, WeirError } from "./errors.ts";

// The server keeps a disconnected transport for 15 s: no use in trying longer.
const mendAttempts = 6;
const awaitTransportMs = 5000;

export interface TransportContext {
  api: SessionApi;
  /** @throws WeirError `unavailable` while the zone has no media host */
  device(): Device;
  identification: Identification;
  iceServers: RTCIceServer[];
  /** A transport is lost for good: its media has to be asked for again. */
  gone(transportId: string): void;
}

type ProduceListener = (
  produced: { kind: types.MediaKind; rtpParameters: types.RtpParameters },
  callback: (answer: { id: string }) => void,
) => void;

/** One session's mediasoup transports: made, connected, mended and given up. */
export class Transports {
  readonly #context: TransportContext;
  readonly #receiving = new Map<string, types.Transport>();
  readonly #awaited = new Map<string, PromiseWithResolvers<types.Transport>>();
  readonly #sending = new Map<string, types.Transport>();
  readonly #mending = new Set<string>();
  /** Those whose host did not answer when they were to be mended. */
  readonly #unanswered = new Set<string>();
  readonly #followed = new WeakSet<RTCDtlsTransport>();
  #iceServers: RTCIceServer[];
  #closed = false;

  constructor(context: TransportContext) {
    this.#context = context;
    this.#iceServers = context.iceServers;
  }

  /** Takes over ICE servers whose passwords are fresh, also for an ICE restart. */
  renewIceServers(iceServers: RTCIceServer[]): void {
    this.#iceServers = iceServers;
    for (const transport of [...this.#receiving.values(), ...this.#sending.values()]) {
      // One that closes meanwhile needs none.
      transport.updateIceServers({ iceServers }).catch(() => {});
    }
  }

  /** Makes a receiving transport, unless it is there already. */
  addReceiving(parameters: TransportParametersWire): void {
    if (this.#closed || this.#receiving.has(parameters.id)) return;
    const transport = this.#context
      .device()
      .createRecvTransport(this.#options(parameters));
    this.#receiving.set(transport.id, transport);
    this.#attend(transport);
    this.#awaited.get(transport.id)?.resolve(transport);
    this.#awaited.delete(transport.id);
  }

  /** The receiving transport of this id, if its parameters have arrived. */
  peek(id: string): types.Transport | undefined {
    return this.#receiving.get(id);
  }

  /** Whether a transport is broken, and its host gave no answer that could mend it. */
  isUnanswered(id: string): boolean {
    return this.#unanswered.has(id);
  }

  /**
   * The receiving transport of this id. Requests run side by side, so another
   * answer may bring its parameters: waited for up to 5 s.
   * @throws WeirError `media-failed` where they do not arrive
   */
  async receiving(id: string): Promise<types.Transport> {
    const there = this.#receiving.get(id);
    if (there) return there;
    const awaited = this.#awaited.get(id) ?? Promise.withResolvers<types.Transport>();
    this.#awaited.set(id, awaited);
    const late = delay(awaitTransportMs).then(() => {
      throw new WeirError("media-failed", "A transport was named, but never described.");
    });
    return Promise.race([awaited.promise, late]);
  }

  /** Makes a sending transport. */
  addSending(
    parameters: TransportParametersWire,
    produce: ProduceListener,
  ): types.Transport {
    const transport = this.#context
      .device()
      .createSendTransport(this.#options(parameters));
    this.#sending.set(transport.id, transport);
    transport.on("produce", produce);
    this.#attend(transport);
    return transport;
  }

  /**
   * Follows the DTLS state beneath a transport: a server that closes its side says
   * so at once, while ICE notices only seconds later.
   * @param dtls the `transport` of one of its senders or receivers
   */
  follow(transport: types.Transport, dtls: RTCDtlsTransport | null | undefined): void {
    if (!dtls || this.#followed.has(dtls)) return;
    this.#followed.add(dtls);
    dtls.addEventListener("statechange", () => {
      if (dtls.state === "closed" || dtls.state === "failed") this.#lose(transport);
    });
  }

  /** Closes one transport that is not needed any more. */
  drop(id: string): void {
    for (const transports of [this.#receiving, this.#sending]) {
      transports.get(id)?.close();
      transports.delete(id);
    }
    this.#unanswered.delete(id);
  }

  /** Closes all of them. */
  close(): void {
    this.#closed = true;
    for (const transport of [...this.#receiving.values(), ...this.#sending.values()]) {
      transport.close();
    }
    this.#receiving.clear();
    this.#sending.clear();
  }

  #options(parameters: TransportParametersWire): types.TransportOptions {
    const { certificate } = this.#context.identification;
    const { id, iceParameters, iceCandidates, dtlsParameters } = parameters;
    // The wire bounds these objects' size, mediasoup-client checks their content.
    return {
      id,
      iceParameters: iceParameters as unknown as types.IceParameters,
      iceCandidates: iceCandidates as unknown as types.IceCandidate[],
      dtlsParameters: dtlsParameters as types.DtlsParameters,
      iceServers: this.#iceServers,
      additionalSettings: { certificates: [certificate] },
    };
  }

  #attend(transport: types.Transport): void {
    const { api, identification } = this.#context;
    transport.on("connect", ({ dtlsParameters }, callback, errback) => {
      const announced = identification.dtlsParameters.fingerprints;
      const used = dtlsParameters.fingerprints;
      const same = used.some(({ value }) =>
        announced.some((one) => one.value.toUpperCase() === value.toUpperCase()),
      );
      // The server connected its side when it read the announced fingerprint.
      if (same) callback();
      else api.connectTransport(transport.id, dtlsParameters).then(callback, errback);
    });
    transport.on("connectionstatechange", (state) => {
      if (state === "disconnected" || state === "failed") void this.#mend(transport);
      else this.#unanswered.delete(transport.id);
    });
  }

  async #mend(transport: types.Transport): Promise<void> {
    if (this.#mending.has(transport.id)) return;
    this.#mending.add(transport.id);
    try {
      for (let attempt = 0; attempt < mendAttempts; attempt++) {
        // Most disconnections are a moment's loss and heal by themselves.
        const waitMs = transport.connectionState === "failed" ? 0 : 1000;
        await delay(attempt === 0 ? waitMs : backoffMs(attempt, 1000, 4000));
        if (this.#closed || transport.closed || !isBroken(transport)) return;
        const restarted = await this.#restart(transport);
        if (restarted === "no-such-transport") break;
        // What is sent finds another host; what is received is asked for elsewhere by
        // whoever misses it.
        if (this.#unanswered.has(transport.id) && this.#sending.has(transport.id)) break;
      }
    } finally {
      this.#mending.delete(transport.id);
    }
    if (isBroken(transport)) this.#lose(transport);
  }

  #lose(transport: types.Transport): void {
    if (this.#closed || transport.closed) return;
    this.drop(transport.id);
    this.#context.gone(transport.id);
  }

  async #restart(transport: types.Transport): Promise<"tried" | "no-such-transport"> {
    try {
      const answer = await this.#context.api.restartIce(transport.id);
      this.#unanswered.delete(transport.id);
      const iceParameters = answer.iceParameters as unknown as types.IceParameters;
      await transport.restartIce({ iceParameters });
    } catch (error) {
      const { code } = asWeirError(error);
      if (code === "not-found") return "no-such-transport";
      if (code === "media-timeout" && !transport.closed) {
        this.#unanswered.add(transport.id);
      }
    }
    return "tried";
  }
}

function isBroken(transport: types.Transport): boolean {
  const state = transport.connectionState;
  return state === "disconnected" || state === "failed";
}
