import { createHash } from "node:crypto";
import type { types } from "mediasoup";

// Chrome starts at 300 kbit/s and climbs for seconds unless told otherwise.
const startBitrate = { "x-google-start-bitrate": 1000 };

/**
 * What every router of the fleet speaks, in order of preference. Two nodes
 * whose lists differ could not be piped together, hence the hash.
 */
export const mediaCodecs: types.RouterRtpCodecCapability[] = [
  {
    kind: "audio",
    mimeType: "audio/opus",
    clockRate: 48_000,
    channels: 2,
    parameters: { useinbandfec: 1, usedtx: 1 },
  },
  { kind: "video", mimeType: "video/VP8", clockRate: 90_000, parameters: startBitrate },
  {
    kind: "video",
    mimeType: "video/VP9",
    clockRate: 90_000,
    parameters: { "profile-id": 0, ...startBitrate },
  },
  {
    kind: "video",
    mimeType: "video/H264",
    clockRate: 90_000,
    parameters: {
      "packetization-mode": 1,
      "profile-level-id": "42e01f",
      "level-asymmetry-allowed": 1,
      ...startBitrate,
    },
  },
  { kind: "video", mimeType: "video/AV1", clockRate: 90_000, parameters: startBitrate },
];

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, canonical(inner)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
}

/**
 * SHA-256, in hexadecimal, of codecs as JSON with sorted keys: equal for equal
 * lists however they were written down.
 */
export function codecsHashOf(codecs: readonly types.RouterRtpCodecCapability[]): string {
  return createHash("sha256")
    .update(JSON.stringify(canonical(codecs)))
    .digest("hex");
}
