import type { types } from "mediasoup-client";
import type { VideoCodec } from "#schema/media.ts";
import type { MediaClass } from "#schema/settings.ts";

/** What a broadcast's tracks are sent with. */
export interface SendShape {
  media: MediaClass;
  /** Three layers for a camera's picture. */
  simulcast: boolean;
  /** The room's video codec; VP8 where the browser lacks it. */
  codec: VideoCodec;
  /** What all tracks may take together, in kbit/s. */
  maxKbps: number;
}

/** Shares of a camera's bitrate, from its smallest layer to the full picture. */
const layerShares = [1 / 12, 3 / 12, 8 / 12];
/** Of a broadcast's bitrate, left to sound, in kbit/s. */
const soundKbps = 80;

const mimeTypes: Record<VideoCodec, string> = {
  vp8: "video/vp8",
  h264: "video/h264",
  vp9: "video/vp9",
  av1: "video/av1",
};

/**
 * How one track is sent: sound falls silent where nobody speaks, a camera comes in
 * three layers and a screen in one, as text does not survive being scaled down.
 * @param capabilities what the browser can send
 */
export function producerOptions(
  track: MediaStreamTrack,
  shape: SendShape,
  capabilities: types.RtpCapabilities,
): types.ProducerOptions {
  // The stream outlives a producer: it is sent again after a reconnection.
  const common = { track, stopTracks: false, zeroRtpOnPause: true };
  if (track.kind === "audio") {
    return { ...common, codecOptions: { opusDtx: true, opusFec: true } };
  }
  const codec = videoCodec(shape.codec, capabilities);
  return {
    ...common,
    codec,
    encodings: encodingsOf(shape, codec?.mimeType.toLowerCase() ?? ""),
    codecOptions: { videoGoogleStartBitrate: 600 },
  };
}

/** The codec that is asked for, or VP8 where the browser does not send it. */
function videoCodec(wanted: VideoCodec, capabilities: types.RtpCapabilities) {
  const find = (mimeType: string) =>
    capabilities.codecs?.find((codec) => codec.mimeType.toLowerCase() === mimeType);
  return find(mimeTypes[wanted]) ?? find(mimeTypes.vp8);
}

function encodingsOf(
  { media, simulcast, maxKbps }: SendShape,
  mimeType: string,
): types.RtpEncodingParameters[] {
  const videoBps = Math.max(maxKbps - soundKbps, soundKbps) * 1000;
  if (media === "screen" || !simulcast) {
    // One layer of a camera takes what its best one does.
    const share = media === "screen" ? 1 : (layerShares.at(-1) ?? 1);
    return [{ maxBitrate: Math.round(videoBps * share), scalabilityMode: "L1T3" }];
  }
  if (mimeType === mimeTypes.vp9) {
    return [{ maxBitrate: videoBps, scalabilityMode: "L3T3_KEY" }];
  }
  // Its spatial layers freeze in Chromium where a server leaves some of them out.
  if (mimeType === mimeTypes.av1) {
    return [{ maxBitrate: videoBps, scalabilityMode: "L1T3" }];
  }
  return layerShares.map((share, layer) => ({
    scaleResolutionDownBy: 2 ** (layerShares.length - 1 - layer),
    maxBitrate: Math.round(videoBps * share),
    scalabilityMode: "L1T3",
  }));
}
