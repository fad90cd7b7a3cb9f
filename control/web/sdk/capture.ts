import type { MediaKindWire } from "#schema/media.ts";
import { asWeirError, WeirError } from "./errors.ts";

/** Which devices to open; what is left out is the person's default one. */
export interface CameraChoice {
  /** A camera's device id, or false for sound alone. */
  camera?: string | false;
  /** A microphone's device id, or false for a picture alone. */
  microphone?: string | false;
  /** Asks for other qualities than 720p and a cleaned-up voice. */
  constraints?: MediaStreamConstraints;
}

/** What a camera is asked for by default: 720p, as three layers come from it. */
const defaults = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  video: {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 24, max: 30 },
  },
} satisfies MediaStreamConstraints;

/**
 * Opens camera and microphone. Where only one of them is there, it alone is opened.
 * @throws WeirError `no-device` where there is none, `device-refused` where the
 *   person or the browser does not allow it, `device-busy` where another
 *   application has it
 */
export async function openCamera(choice: CameraChoice = {}): Promise<MediaStream> {
  if (choice.constraints) return getUserMedia(choice.constraints);
  const audio = constraintsOf("audio", choice.microphone);
  const video = constraintsOf("video", choice.camera);
  try {
    return await getUserMedia({ audio, video });
  } catch (error) {
    const lacksOne = asWeirError(error).code === "no-device" && audio && video;
    if (!lacksOne) throw error;
    return getUserMedia({ audio }).catch(() => getUserMedia({ video }));
  }
}

/**
 * Opens one device.
 * @param deviceId which one; the person's default one without it
 * @throws WeirError as `openCamera`
 */
export async function openDevice(
  kind: MediaKindWire,
  deviceId?: string,
): Promise<MediaStreamTrack> {
  const stream = await getUserMedia({ [kind]: constraintsOf(kind, deviceId) });
  const [track] = stream.getTracks();
  if (!track) throw new WeirError("no-device", "The device gives nothing.");
  return track;
}

/**
 * Asks which screen, window or tab to show, with its sound where the browser has it.
 * @throws WeirError `screen-not-chosen` where the person or the browser says no
 */
export async function openScreen(): Promise<MediaStream> {
  const { mediaDevices } = navigator;
  if (!mediaDevices?.getDisplayMedia) {
    throw new WeirError("unsupported", "This browser cannot show a screen.");
  }
  const video = { frameRate: { ideal: 15, max: 30 } };
  // A tab's sound is music as often as speech: it is left as it is.
  const audio = { echoCancellation: false, noiseSuppression: false };
  try {
    return await mediaDevices.getDisplayMedia({ video, audio });
  } catch (error) {
    if (nameOf(error) === "NotAllowedError") {
      throw new WeirError("screen-not-chosen", "No screen was chosen.");
    }
    throw deviceError(error);
  }
}

function constraintsOf(kind: MediaKindWire, device: string | false | undefined) {
  if (device === false) return false;
  return device ? { ...defaults[kind], deviceId: { exact: device } } : defaults[kind];
}

async function getUserMedia(constraints: MediaStreamConstraints): Promise<MediaStream> {
  if (!navigator.mediaDevices) {
    throw new WeirError("no-device", "Cameras are only there on https pages.");
  }
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    throw deviceError(error);
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

function deviceError(cause: unknown): WeirError {
  switch (nameOf(cause)) {
    case "NotAllowedError":
    case "SecurityError":
      return new WeirError("device-refused", "The browser was not allowed to use it.", {
        cause,
      });
    case "NotReadableError":
    case "AbortError":
      return new WeirError("device-busy", "Another application may be using it.", {
        cause,
      });
    default:
      return new WeirError("no-device", "No usable camera or microphone was found.", {
        cause,
      });
  }
}
