import type { types } from "mediasoup";
import type { types as client } from "mediasoup-client";
import { extractRtpCapabilities } from "mediasoup-client/handlers/sdp/commonUtils";
import { RemoteOfferMediaSection } from "mediasoup-client/handlers/sdp/RemoteMediaSection";
import * as ortc from "mediasoup-client/ortc";
import type { TransportParametersWire } from "#schema/media.ts";
import { iceOf } from "./answer.ts";
import type { Offer, OfferedSection, SdpMedia } from "./offer.ts";

/** How a player wants to get one kind of a broadcast. */
export interface Playable {
  section: OfferedSection;
  /** The broadcast's codec under the payload type that the player chose for it. */
  codec: types.RtpCodecCapability;
  /**
   * Of mediasoup's header extensions, which have fixed ids, those that the player
   * happens to have under the same.
   */
  headerExtensions: types.RtpHeaderExtension[];
}

/**
 * Finds what of an offer fits a broadcast's track, or undefined where the player
 * does not ask for its kind or cannot decode it.
 */
export function playable(
  offer: Offer,
  track: { kind: "audio" | "video"; rtpParameters: types.RtpParameters },
  fixedExtensions: types.RtpHeaderExtension[],
): Playable | undefined {
  const { kind, rtpParameters } = track;
  const section = offer.sections.find((one) => one.kind === kind);
  const [sent] = rtpParameters.codecs;
  if (!section || !sent) return undefined;
  const sdpObject = { ...offer.sdp, media: [section.media] };
  const offered = extractRtpCapabilities({ sdpObject });
  ortc.validateAndNormalizeRtpCapabilities(offered);
  const { payloadType: preferredPayloadType, ...codec } = sent;
  const own = {
    codecs: [{ kind, preferredPayloadType, ...codec }],
    headerExtensions: [],
  };
  const { codecs } = ortc.getExtendedRtpCapabilities(
    offered,
    own as client.RtpCapabilities,
    true,
  );
  const [match] = codecs;
  if (!match) return undefined;
  const { rtcpFeedback = [] } = match;
  const headerExtensions = fixedExtensions.filter(
    (fixed) =>
      fixed.kind === kind &&
      section.media.ext?.some(
        ({ uri, value }) => uri === fixed.uri && value === fixed.preferredId,
      ),
  );
  return {
    section,
    codec: {
      kind,
      mimeType: sent.mimeType,
      clockRate: sent.clockRate,
      channels: sent.channels,
      parameters: sent.parameters,
      preferredPayloadType: match.localPayloadType,
      rtcpFeedback: rtcpFeedback as types.RtcpFeedback[],
    },
    headerExtensions,
  };
}

/** The answer's section for a track that the player gets. */
export function sendingSection(
  { section, broadcastId }: { section: OfferedSection; broadcastId: string },
  consumer: { rtpParameters: types.RtpParameters; trackId: string },
  transport: TransportParametersWire,
  setup: "active" | "passive",
): SdpMedia {
  const written = new RemoteOfferMediaSection({
    ...iceOf(transport),
    mid: section.mid,
    kind: section.kind,
    offerRtpParameters: consumer.rtpParameters as client.RtpParameters,
    streamId: broadcastId,
    trackId: consumer.trackId,
  }).getObject() as SdpMedia;
  // A consumer of one kind may have what only the other kind's section offers.
  const ext = written.ext?.filter(({ uri, value }) =>
    section.media.ext?.some((one) => one.uri === uri && one.value === value),
  );
  return {
    ...written,
    ext,
    port: 9,
    connection: { version: 4, ip: "0.0.0.0" },
    protocol: section.media.protocol,
    iceOptions: "trickle",
    setup,
  };
}
