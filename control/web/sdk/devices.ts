/** A camera, microphone or loudspeaker. */
export interface Device {
  id: string;
  /** Its name; empty until the person has let this page use a device. */
  label: string;
}

/** The devices that the browser knows, the person's default ones first. */
export interface Devices {
  cameras: Device[];
  microphones: Device[];
  loudspeakers: Device[];
}

/** Lists cameras, microphones and loudspeakers. */
export async function listDevices(): Promise<Devices> {
  const found = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const ofKind = (kind: MediaDeviceKind) =>
    found
      .filter((device) => device.kind === kind && device.deviceId !== "")
      .map(({ deviceId: id, label }) => ({ id, label }));
  return {
    cameras: ofKind("videoinput"),
    microphones: ofKind("audioinput"),
    loudspeakers: ofKind("audiooutput"),
  };
}

/**
 * Calls `listener` whenever a device was plugged in or out.
 * @returns a function that stops it
 */
export function onDevicesChanged(listener: () => void): () => void {
  const { mediaDevices } = navigator;
  mediaDevices?.addEventListener("devicechange", listener);
  return () => mediaDevices?.removeEventListener("devicechange", listener);
}
