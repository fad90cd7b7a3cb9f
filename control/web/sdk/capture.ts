import type { types } from "mediasoup-client";
import { WeirError } from "./errors.ts";

/** What a camera is asked for by default: 720p, as three layers come from it. */
export const cameraConstraints: MediaStreamConstraints = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  video: {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 24, max: 30 },
  },
};

/** A camera's three simulcast layers: 1.2 Mbit/s in all. */
export const simulcastEncodings: types.RtpEncodingParameters[] = [
  { scaleResolutionDownBy: 4, maxBitrate: 100_000, scalabilityMode: "L1T3" },
  { scaleResolutionDownBy: 2, maxBitrate: 300_000, scalabilityMode: "L1T3" },
  { scaleResolutionDownBy: 1, maxBitrate: 800_000, scalabilityMode: "L1T3" },
];

/** A camera without simulcast. */
export const singleEncoding: types.RtpEncodingParameters[] = [
  { maxBitrate: 800_000, scalabilityMode: "L1T3" },
];

/** A screen: one layer, as text does not survive being scaled down. */
export const screenEncoding: types.RtpEncodingParameters[] = [
  { maxBitrate: 2_400_000, scalabilityMode: "L1T3" },
];

/**
 * Opens camera and microphone.
 * @throws WeirError `no-device` where there is none, `device-refused` where the
 *   person or the browser does not allow it
 */
export function openCamera(
  constraints: MediaStreamConstraints = cameraConstraints,
): Promise<MediaStream> {
  return open(() => navigator.mediaDevices.getUserMedia(constraints));
}

/**
 * Asks which screen or window to show.
 * @throws WeirError `device-refused` where the person cancels
 */
export function openScreen(): Promise<MediaStream> {
  const video = { frameRate: { ideal: 15, max: 30 } };
  return open(() => navigator.mediaDevices.getDisplayMedia({ video, audio: true }));
}

async function open(ask: () => Promise<MediaStream>): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw new WeirError("no-device", "Cameras are only there on https pages.");
  }
  try {
    return await ask();
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "NotAllowedError") {
      throw new WeirError("device-refused", "The browser was not allowed to use it.");
    }
    throw new WeirError("no-device", "No usable camera or microphone was found.", {
      cause: error,
    });
  }
}
