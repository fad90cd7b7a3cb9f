import type { types as client } from "mediasoup-client";
import {
  extractRtpCapabilities,
  getCname,
} from "mediasoup-client/handlers/sdp/commonUtils";
import { getRtpEncodings } from "mediasoup-client/handlers/sdp/unifiedPlanUtils";
import * as ortc from "mediasoup-client/ortc";
import * as sdpTransform from "sdp-transform";
import { type OfferedSection, refused, type Sdp, type SdpMedia } from "./offer.ts";

/** A section as it will be sent: what mediasoup produces, and what the answer says. */
export interface SentSection extends OfferedSection {
  rtpParameters: client.RtpParameters;
  answerParameters: client.RtpParameters;
}

/**
 * Works out what an offerer sends in a section: the first codec of its list that
 * the router speaks, and its encodings by simulcast's rids, by SSRC or by MID.
 * @throws CallError `invalid` where it has no codec that the router speaks
 */
export function sentSection(
  sdp: Sdp,
  section: OfferedSection,
  routerCapabilities: client.RtpCapabilities,
): SentSection {
  const { kind, mid, media } = section;
  const offered = extractRtpCapabilities({ sdpObject: { ...sdp, media: [media] } });
  ortc.validateAndNormalizeRtpCapabilities(offered);
  const common = ortc.getExtendedRtpCapabilities(offered, routerCapabilities, true);
  if (!common.codecs.some((codec) => codec.kind === kind)) {
    throw refused(
      `Of its ${kind} codecs (${names(offered, kind)}) none is spoken here: ${names(routerCapabilities, kind)}.`,
    );
  }
  const rtpParameters = ortc.getSendingRtpParameters(kind, common);
  rtpParameters.codecs = ortc.reduceCodecs(rtpParameters.codecs, undefined);
  const answerParameters = ortc.getSendingRemoteRtpParameters(kind, common);
  answerParameters.codecs = ortc.reduceCodecs(answerParameters.codecs, undefined);
  rtpParameters.mid = mid;
  rtpParameters.rtcp = {
    cname: getCname({ offerMediaObject: media }),
    reducedSize: true,
  };
  rtpParameters.encodings = encodingsOf(media, rtpParameters);
  return { ...section, rtpParameters, answerParameters };
}

// Simulcast's rids from the smallest picture to the largest, as mediasoup wants
// its layers: browsers write them so, OBS counts downwards from 0.
const ladders = [
  ["q", "h", "f"],
  ["l", "m", "h"],
  ["lo", "mid", "hi"],
  ["low", "mid", "high"],
  ["low", "medium", "high"],
  ["3", "2", "1", "0"],
];

/** Rids from the smallest picture to the largest, where their names tell. */
export function inLadder(rids: string[]): string[] {
  const ladder = ladders.find((names) => rids.every((rid) => names.includes(rid)));
  return ladder ? ladder.filter((rid) => rids.includes(rid)) : rids;
}

function encodingsOf(
  media: SdpMedia,
  { codecs, headerExtensions = [] }: client.RtpParameters,
): client.RtpEncodingParameters[] {
  const rids = simulcastRids(media);
  if (rids.length > 1) return inLadder(rids).map((rid) => ({ rid }));
  const hasSsrc = (media.ssrcs ?? []).length > 0;
  if (hasSsrc) return getRtpEncodings({ offerMediaObject: media, codecs }).slice(0, 1);
  const hasMid = headerExtensions.some(({ uri }) => uri.endsWith(":sdes:mid"));
  if (hasMid) return [{}];
  throw refused(`Its ${media.type} section has neither a=ssrc nor the MID extension.`);
}

function simulcastRids({ simulcast }: SdpMedia): string[] {
  if (simulcast?.dir1 !== "send") return [];
  return sdpTransform
    .parseSimulcastStreamList(simulcast.list1)
    .flatMap(([stream]) => (stream ? [String(stream.scid)] : []));
}

function names({ codecs = [] }: client.RtpCapabilities, kind: string): string {
  const spoken = codecs
    .filter((codec) => codec.kind === kind && !/\/rtx$/i.test(codec.mimeType))
    .map(({ mimeType }) => mimeType.split("/")[1]);
  return [...new Set(spoken)].join(", ") || "none";
}
