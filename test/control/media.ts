import type { Watched } from "#schema/api/media.ts";
import type { CallAnswer, Control } from "#test/harness/control.ts";
import { bodyOf, callAs, type Member } from "./api.ts";

/** A certificate's fingerprint that nobody will ever present. */
export const someDtlsParameters = {
  role: "client" as const,
  fingerprints: [{ algorithm: "sha-256", value: Array(32).fill("AB").join(":") }],
};

let ssrc = 10_000;

/** What a browser's sender would send of one kind, with an SSRC of its own. */
export function rtpParametersOf(kind: "audio" | "video") {
  ssrc += 1;
  const codec =
    kind === "video"
      ? {
          mimeType: "video/VP8",
          payloadType: 101,
          clockRate: 90_000,
          rtcpFeedback: [{ type: "nack" }, { type: "nack", parameter: "pli" }],
        }
      : {
          mimeType: "audio/opus",
          payloadType: 100,
          clockRate: 48_000,
          channels: 2,
          parameters: { useinbandfec: 1 },
        };
  return { codecs: [codec], encodings: [{ ssrc }] };
}

const sources = {
  camera: { audio: "microphone", video: "camera" },
  screen: { audio: "screen-audio", video: "screen" },
} as const;

/** Asks for a producer place and a sending transport. */
export function claimBroadcast(
  control: Control,
  member: Member,
  media: "camera" | "screen" = "camera",
  headers?: Record<string, string>,
): Promise<CallAnswer> {
  const path = `/v1/sessions/${member.sessionId}/broadcasts`;
  const body = { media, dtlsParameters: someDtlsParameters };
  return callAs(control, member, "POST", path, { body, headers });
}

/** Adds a track of a kind to a member's own broadcast. */
export function addTrack(
  control: Control,
  member: Member,
  broadcastId: string,
  kind: "audio" | "video",
  media: "camera" | "screen" = "camera",
): Promise<CallAnswer> {
  const body = {
    kind,
    source: sources[media][kind],
    rtpParameters: rtpParametersOf(kind),
  };
  const path = `/v1/broadcasts/${broadcastId}/tracks`;
  return callAs(control, member, "POST", path, { body });
}

/** Starts a broadcast and makes it live; answers its id. */
export async function goLive(
  control: Control,
  member: Member,
  media: "camera" | "screen" = "camera",
): Promise<string> {
  const { id } = bodyOf(await claimBroadcast(control, member, media), 201);
  bodyOf(await addTrack(control, member, id, "audio", media), 201);
  bodyOf(await addTrack(control, member, id, "video", media), 201);
  return id;
}

/** What a member sends to watch; everything unless told otherwise. */
export function watchBody(member: Member, broadcasts: "all" | string[] = "all") {
  return {
    broadcasts,
    rtpCapabilities: member.entry.routerRtpCapabilities ?? {},
    dtlsParameters: someDtlsParameters,
  };
}

/** Watches broadcasts. */
export async function watch(
  control: Control,
  member: Member,
  broadcasts: "all" | string[] = "all",
): Promise<Watched> {
  const path = `/v1/sessions/${member.sessionId}/views`;
  const body = watchBody(member, broadcasts);
  return bodyOf(await callAs(control, member, "POST", path, { body }), 200);
}

/** The ids of the views that are ready. */
export function readyViews({ views }: Watched): string[] {
  return views.flatMap((view) => (view.status === "ready" ? [view.id] : []));
}

/** The codes with which views were refused. */
export function refusedCodes({ views }: Watched): string[] {
  return views.flatMap((view) => (view.status === "refused" ? [view.code] : []));
}
