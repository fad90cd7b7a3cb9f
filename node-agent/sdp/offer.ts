import { extractDtlsParameters } from "mediasoup-client/handlers/sdp/commonUtils";
import * as sdpTransform from "sdp-transform";
import type { DtlsParametersWire } from "#schema/media.ts";
import { CallError } from "../calls/call-error.ts";

export type Sdp = sdpTransform.SessionDescription;
export type SdpMedia = Sdp["media"][number];

/** An audio or video section that the offerer wants to use. */
export interface OfferedSection {
  kind: "audio" | "video";
  mid: string;
  media: SdpMedia;
}

/** A stranger's offer, read as far as every use of it needs. */
export interface Offer {
  sdp: Sdp;
  /** As mediasoup's `connect()` takes them: the role is the offerer's. */
  dtlsParameters: DtlsParametersWire;
  /** One audio and one video section at most, in the offer's order. */
  sections: OfferedSection[];
  /** The offerer's ICE session. */
  iceUfrag: string;
}

/**
 * Reads an SDP offer. Attributes of ICE and DTLS may stand at the session's
 * level (as OBS writes them) or at the first section's.
 * @param wants which way media is to flow, as the offerer says it
 * @throws CallError `invalid` that says what cannot be taken
 */
export function readOffer(text: string, wants: "sendonly" | "recvonly"): Offer {
  const sdp = parse(text);
  const sections = sdp.media.flatMap((media) => sectionOf(media, wants));
  const [first] = sections;
  if (!first) {
    throw refused(`It has no audio or video section that is ${wants}.`);
  }
  for (const kind of ["audio", "video"] as const) {
    const count = sections.filter((section) => section.kind === kind).length;
    if (count > 1) {
      throw refused(
        `It has ${count} ${kind} sections; a broadcast has one of each kind.`,
      );
    }
  }
  checkBundle(sdp, sections);
  const iceUfrag = first.media.iceUfrag ?? sdp.iceUfrag;
  const icePwd = first.media.icePwd ?? sdp.icePwd;
  if (!iceUfrag || !icePwd) throw refused("It has no a=ice-ufrag and a=ice-pwd.");
  return { sdp, dtlsParameters: readDtls(sdp, first.media), sections, iceUfrag };
}

/** An offer that cannot be taken, and why. */
export function refused(why: string): CallError {
  return new CallError("invalid", `The SDP cannot be taken. ${why}`);
}

function parse(text: string): Sdp {
  if (!/^v=0\r?\n/.test(text)) throw refused("It does not begin with v=0.");
  const sdp = sdpTransform.parse(text);
  if (sdp.media.length === 0) throw refused("It has no m= section.");
  return sdp;
}

function sectionOf(media: SdpMedia, wants: "sendonly" | "recvonly"): OfferedSection[] {
  const { type: kind, port, direction = "sendrecv", bundleOnly } = media;
  if (kind !== "audio" && kind !== "video") return [];
  // Port 0 is a section that is not wanted, or one that has no port of its own
  // because it goes with its bundle, as GStreamer offers all but the first.
  if (port === 0 && !bundleOnly) return [];
  if (direction !== wants && direction !== "sendrecv") return [];
  if (!/\bRTP\/SAVPF?$/.test(media.protocol)) {
    throw refused(`Its ${kind} section is ${media.protocol}; only DTLS-SRTP is taken.`);
  }
  if (media.mid === undefined) throw refused(`Its ${kind} section has no a=mid.`);
  return [{ kind, mid: String(media.mid), media }];
}

/** Everything travels on one transport. */
function checkBundle(sdp: Sdp, sections: OfferedSection[]): void {
  if (sections.length === 1) return;
  const bundles = (sdp.groups ?? [])
    .filter(({ type }) => type === "BUNDLE")
    .map(({ mids }) => String(mids).split(" "));
  const bundled = bundles.some((mids) => sections.every(({ mid }) => mids.includes(mid)));
  if (!bundled) throw refused("Its sections are not in one a=group:BUNDLE.");
}

function readDtls(sdp: Sdp, media: SdpMedia): DtlsParametersWire {
  const setup = media.setup ?? sdp.setup;
  const fingerprint = media.fingerprint ?? sdp.fingerprint;
  if (!setup) throw refused("It has no a=setup.");
  if (!fingerprint) throw refused("It has no a=fingerprint.");
  const sdpObject = { ...sdp, setup, fingerprint, media: [] };
  const { role, fingerprints } = extractDtlsParameters({ sdpObject });
  if (!role) throw refused(`Its a=setup is ${setup}; it has to be actpass or active.`);
  // Whoever leaves the choice to us connects to us: we answer passive.
  return { role: role === "auto" ? "client" : role, fingerprints };
}
