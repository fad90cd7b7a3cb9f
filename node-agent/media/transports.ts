import { isDeepStrictEqual } from "node:util";
import type { types } from "mediasoup";
import type { DtlsParametersWire, TransportParametersWire } from "#schema/media.ts";
import { CallError, gone, takingParameters } from "../calls/call-error.ts";
import type { MediaContext } from "./context.ts";
import { supervise } from "./supervise.ts";
import type { WorkerLife } from "./worker-pool.ts";

/** What a transport is made for. */
export interface TransportPlan {
  id: string;
  direction: "send" | "receive";
  roomId: string;
  sessionId: string;
  life: WorkerLife;
  /** Another router of the same worker than its first. */
  router?: types.Router;
  /** The broadcast that a sending transport carries. */
  broadcastId?: string;
  /** What the broadcaster was admitted with, in kbit/s. */
  maxIncomingKbps?: number;
  /** The session is there by this transport alone: it has no channel. */
  carries?: boolean;
}

/** A client's WebRtcTransport and whose it is. */
export interface ClientTransport extends TransportPlan {
  webRtc: types.WebRtcTransport;
  /** Gives an ICE restart its full grace. */
  extendGrace: () => void;
  connected?: { dtlsParameters: DtlsParametersWire; done: Promise<void> };
}

interface TransportHooks {
  onConnected: (transport: ClientTransport) => void;
  /** The client is gone; called before the transport closes. */
  onLost: (transport: ClientTransport, reason: string) => void;
  /** The transport is closed, for whatever reason. */
  onClosed: (transport: ClientTransport) => void;
}

// Cameras start at about this rate; lower and the first seconds look poor.
const initialAvailableOutgoingBitrate = 1_000_000;
// Seconds. mediasoup's default of 30 keeps a vanished client's seat too long.
const iceConsentTimeout = 10;
// Encoders and players on GStreamer never ask for consent again: see the sampler.
const noConsent = 0;

/** The clients' transports on this node, by the ids that control gave them. */
export class Transports {
  readonly #context: MediaContext;
  readonly #hooks: TransportHooks;
  readonly #opening = new Map<string, Promise<ClientTransport>>();
  readonly #open = new Map<string, ClientTransport>();

  constructor(context: MediaContext, hooks: TransportHooks) {
    this.#context = context;
    this.#hooks = hooks;
  }

  /** All transports that are open at present. */
  get all(): ClientTransport[] {
    return [...this.#open.values()];
  }

  /**
   * Makes a transport, or returns the one of this id that is there.
   * @throws CallError `invalid` where the id is another session's or worker's,
   *   `gone` where the transport or its session was closed
   */
  async open(
    plan: TransportPlan,
  ): Promise<{ transport: ClientTransport; isNew: boolean }> {
    const present = this.#opening.get(plan.id);
    if (present) {
      const transport = await present;
      const same =
        transport.sessionId === plan.sessionId &&
        transport.direction === plan.direction &&
        transport.broadcastId === plan.broadcastId &&
        transport.life.router === plan.life.router;
      if (!same) throw new CallError("invalid", `Transport ${plan.id} is made already.`);
      return { transport, isNew: false };
    }
    const opening = this.#create(plan);
    this.#opening.set(plan.id, opening);
    opening.catch(() => this.#opening.delete(plan.id));
    return { transport: await opening, isNew: true };
  }

  /**
   * Finds a session's transport. Another's is as good as none.
   * @throws CallError `gone` where there is none that is the session's
   */
  get(id: string, sessionId: string): ClientTransport {
    const transport = this.#open.get(id);
    if (transport?.sessionId !== sessionId) throw gone(`Transport ${id}`);
    return transport;
  }

  /**
   * Starts DTLS with the client's parameters. Doing so twice is harmless.
   * @throws CallError `invalid` where it was started with others, or these are wrong
   */
  async connect(transport: ClientTransport, dtls: DtlsParametersWire): Promise<void> {
    if (transport.connected) {
      const known = transport.connected.dtlsParameters.fingerprints;
      if (!isDeepStrictEqual(known, dtls.fingerprints)) {
        throw new CallError("invalid", `Transport ${transport.id} is connected already.`);
      }
      return transport.connected.done;
    }
    const dtlsParameters = dtls as types.DtlsParameters;
    const { webRtc } = transport;
    const done = takingParameters(webRtc, () => webRtc.connect({ dtlsParameters }));
    transport.connected = { dtlsParameters: dtls, done };
    try {
      await done;
    } catch (error) {
      transport.connected = undefined;
      throw error;
    }
  }

  /** What the client needs to make its end. Holds ICE secrets. */
  parametersOf(transport: ClientTransport): TransportParametersWire {
    const { iceParameters, iceCandidates, dtlsParameters } = transport.webRtc;
    return {
      id: transport.id,
      iceParameters: { ...iceParameters },
      iceCandidates: iceCandidates.map((candidate) => ({ ...candidate })),
      dtlsParameters,
    };
  }

  /** Closes one of a session's transports, unreported; one that is not there is fine. */
  closeOne(id: string, sessionId: string): void {
    const transport = this.#open.get(id);
    if (transport?.sessionId === sessionId) transport.webRtc.close();
  }

  /** Closes all of a session's transports, unreported. */
  closeSession(sessionId: string): void {
    for (const transport of this.all) {
      if (transport.sessionId === sessionId) transport.webRtc.close();
    }
  }

  /** Closes all transports, unreported. */
  close(): void {
    for (const transport of this.all) transport.webRtc.close();
  }

  async #create(plan: TransportPlan): Promise<ClientTransport> {
    const { life, router = life.router } = plan;
    const webRtc = await router.createWebRtcTransport({
      webRtcServer: life.webRtcServer,
      enableUdp: true,
      enableTcp: true,
      preferUdp: true,
      initialAvailableOutgoingBitrate,
      iceConsentTimeout: plan.carries ? noConsent : iceConsentTimeout,
    });
    const { generations } = this.#context;
    const closed = [plan.sessionId, plan.id].find((id) => generations.isClosed(id));
    if (closed) {
      webRtc.close();
      throw gone(closed);
    }
    const extendGrace = supervise(webRtc, this.#context.timing, {
      onConnected: () => this.#hooks.onConnected(transport),
      onLost: (reason) => {
        if (webRtc.closed) return;
        this.#hooks.onLost(transport, reason);
        webRtc.close();
      },
    });
    const transport: ClientTransport = { ...plan, webRtc, extendGrace };
    this.#open.set(plan.id, transport);
    webRtc.observer.once("close", () => {
      this.#open.delete(plan.id);
      this.#opening.delete(plan.id);
      this.#hooks.onClosed(transport);
    });
    return transport;
  }
}
