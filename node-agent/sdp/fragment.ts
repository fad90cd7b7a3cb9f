import * as sdpTransform from "sdp-transform";
import type { TransportParametersWire } from "#schema/media.ts";
import { CallError } from "../calls/call-error.ts";
import type { Sdp, SdpMedia } from "./offer.ts";

/** What a client tells in an `application/trickle-ice-sdpfrag`. */
export interface Fragment {
  /** Absent where the fragment only adds candidates. */
  iceUfrag?: string;
}

/**
 * Reads a trickle fragment. Its candidates are of no use to a lite agent, which
 * answers to the address that a check comes from.
 * @throws CallError `invalid` where it is none
 */
export function readFragment(text: string): Fragment {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  if (lines.length === 0 || !lines.every((line) => /^[a-z]=/.test(line))) {
    throw new CallError("invalid", "The body is not a fragment of SDP.");
  }
  const ufrags = lines.flatMap((line) => /^a=ice-ufrag:(\S+)$/.exec(line)?.[1] ?? []);
  const pwds = lines.filter((line) => /^a=ice-pwd:\S+$/.test(line));
  if (ufrags.length !== pwds.length) {
    throw new CallError("invalid", "a=ice-ufrag and a=ice-pwd come together.");
  }
  return { iceUfrag: ufrags[0] };
}

/** The fragment with which a restart is answered: the transport's new ICE session. */
export function writeFragment(answer: Sdp, transport: TransportParametersWire): string {
  const { usernameFragment, password } = transport.iceParameters;
  const [first] = answer.media.filter(({ port }) => port !== 0);
  if (!first) return "";
  const { type, port, protocol, payloads, mid, candidates, endOfCandidates } = first;
  const media = {
    type,
    port,
    protocol,
    payloads,
    mid,
    iceUfrag: usernameFragment,
    icePwd: password,
    candidates,
    endOfCandidates,
    rtp: [],
    fmtp: [],
  } as unknown as SdpMedia;
  const { groups, icelite } = answer;
  const written = sdpTransform.write({
    groups,
    icelite,
    media: [media],
  } as unknown as Sdp);
  // A fragment has no lines of a session's own.
  return written.replace(/^[vost]=.*\r\n/gm, "");
}
