import * as sdpTransform from "sdp-transform";
import type { CallResult } from "#schema/agent/call-results.ts";
import type { CallOf } from "#schema/agent/calls.ts";
import { readFragment, writeFragment } from "../sdp/fragment.ts";
import type { Sdp } from "../sdp/offer.ts";
import type { Transports } from "./transports.ts";

interface IceSession {
  /** The client's own user fragment, by which its restarts are told. */
  clientUfrag: string;
  answer: Sdp;
}

/**
 * The ICE sessions of transports that were negotiated by SDP. Each has an
 * entity tag: our own user fragment, which changes with every restart.
 */
export class IceSessions {
  readonly #transports: Transports;
  readonly #sessions = new Map<string, IceSession>();

  constructor(transports: Transports) {
    this.#transports = transports;
  }

  /** Remembers what was negotiated; answers the entity tag. */
  begin(transportId: string, clientUfrag: string, answer: string): string {
    this.#sessions.set(transportId, { clientUfrag, answer: sdpTransform.parse(answer) });
    return this.#tagOf(transportId);
  }

  /** Forgets a transport that was closed. */
  transportClosed(transportId: string): void {
    this.#sessions.delete(transportId);
  }

  /**
   * Takes a trickle fragment: candidates are taken note of, another user fragment
   * of the client restarts ICE.
   * @throws CallError `gone` where the transport is, `invalid` where the body is
   *   no fragment or the transport another session's
   */
  async patch(call: CallOf<"patch-ice">): Promise<CallResult<"patch-ice">> {
    const { transportId, sessionId, fragment, ifMatch } = call;
    const transport = this.#transports.get(transportId, sessionId);
    const { iceUfrag } = readFragment(fragment);
    const etag = this.#tagOf(transportId);
    if (ifMatch !== "*" && ifMatch !== etag) return { status: "stale", etag };
    const session = this.#sessions.get(transportId);
    if (!session || !iceUfrag || iceUfrag === session.clientUfrag) {
      return { status: "taken", etag };
    }
    transport.extendGrace();
    await transport.webRtc.restartIce();
    session.clientUfrag = iceUfrag;
    const parameters = this.#transports.parametersOf(transport);
    return {
      status: "restarted",
      etag: this.#tagOf(transportId),
      fragment: writeFragment(session.answer, parameters),
    };
  }

  #tagOf(transportId: string): string {
    const transport = this.#transports.all.find(({ id }) => id === transportId);
    return transport?.webRtc.iceParameters.usernameFragment ?? "";
  }
}
