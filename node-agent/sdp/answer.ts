import type { types as client } from "mediasoup-client";
import { applyCodecParameters } from "mediasoup-client/handlers/sdp/commonUtils";
import { RemoteAnswerMediaSection } from "mediasoup-client/handlers/sdp/RemoteMediaSection";
import * as sdpTransform from "sdp-transform";
import type { TransportParametersWire } from "#schema/media.ts";
import type { Offer, SdpMedia } from "./offer.ts";
import type { SentSection } from "./sent.ts";

/**
 * Writes the answer to an offer whose accepted sections are given; all others
 * are refused in their places. The transport's parameters go into every section.
 */
export function writeAnswer(
  offer: Offer,
  transport: TransportParametersWire,
  answered: { mid: string; media: SdpMedia }[],
): string {
  const media = offer.sdp.media.map(
    (offered) =>
      answered.find(({ mid }) => mid === String(offered.mid))?.media ??
      refusedSection(offered),
  );
  const { fingerprints } = transport.dtlsParameters;
  // RFC 8122 has everyone know this one; of the others some are too weak for some.
  const usual = fingerprints.find(({ algorithm }) => algorithm === "sha-256");
  const fingerprint = usual ?? fingerprints.at(-1);
  return sdpTransform.write({
    version: 0,
    origin: {
      username: "-",
      sessionId: String(Date.now()),
      sessionVersion: 1,
      netType: "IN",
      ipVer: 4,
      address: "0.0.0.0",
    },
    name: "-",
    timing: { start: 0, stop: 0 },
    icelite: "ice-lite",
    groups: [{ type: "BUNDLE", mids: answered.map(({ mid }) => mid).join(" ") }],
    extmapAllowMixed: "extmap-allow-mixed",
    msidSemantic: { semantic: "WMS", token: "*" },
    fingerprint: {
      type: fingerprint?.algorithm ?? "sha-256",
      hash: fingerprint?.value ?? "",
    },
    media,
  } as sdpTransform.SessionDescription);
}

/** The answer's section for one that the offerer sends. */
export function receivingSection(
  section: SentSection,
  transport: TransportParametersWire,
  setup: "active" | "passive",
): SdpMedia {
  const { media, rtpParameters, answerParameters } = section;
  const answered = new RemoteAnswerMediaSection({
    ...iceOf(transport),
    offerMediaObject: media,
    offerRtpParameters: rtpParameters,
    answerRtpParameters: answerParameters,
  }).getObject() as SdpMedia;
  applyCodecParameters({
    offerRtpParameters: rtpParameters,
    answerMediaObject: answered,
  });
  return { ...answered, ...common, setup };
}

/** What every section says of ICE. */
export function iceOf({ iceParameters, iceCandidates }: TransportParametersWire) {
  return {
    iceParameters: iceParameters as unknown as client.IceParameters,
    iceCandidates: iceCandidates as unknown as client.IceCandidate[],
  };
}

const common = {
  port: 9,
  connection: { version: 4, ip: "0.0.0.0" },
  iceOptions: "trickle",
};

function refusedSection(offered: SdpMedia): SdpMedia {
  const { type, protocol, payloads, mid } = offered;
  return {
    type,
    port: 0,
    protocol,
    payloads: String(payloads ?? "0"),
    mid,
    rtp: [],
    fmtp: [],
    connection: { version: 4, ip: "0.0.0.0" },
    direction: "inactive",
  } as SdpMedia;
}
