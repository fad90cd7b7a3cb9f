import { z } from "zod";

/*
 * mediasoup's own parameter objects, as they travel. Control looks at none of
 * them closely: mediasoup and mediasoup-client validate them at both ends, so
 * these schemas bound their shape and size and pass everything else through.
 */

/** DTLS role and certificate fingerprints of one side. */
export const dtlsParameters = z.object({
  role: z.enum(["auto", "client", "server"]).optional(),
  fingerprints: z
    .array(z.object({ algorithm: z.string().max(16), value: z.string().max(256) }))
    .min(1)
    .max(8),
});
export type DtlsParametersWire = z.infer<typeof dtlsParameters>;

export const rtpCapabilities = z.looseObject({
  codecs: z
    .array(z.looseObject({ mimeType: z.string().max(64) }))
    .max(64)
    .optional(),
  headerExtensions: z.array(z.looseObject({})).max(64).optional(),
});
export type RtpCapabilitiesWire = z.infer<typeof rtpCapabilities>;

export const rtpParameters = z.looseObject({
  mid: z.string().max(32).optional(),
  codecs: z
    .array(z.looseObject({ mimeType: z.string().max(64) }))
    .min(1)
    .max(16),
  headerExtensions: z.array(z.looseObject({})).max(64).optional(),
  encodings: z.array(z.looseObject({})).max(8).optional(),
  rtcp: z.looseObject({}).optional(),
});

/** A STUN or TURN server as a browser takes it. */
export const iceServer = z.looseObject({
  urls: z.union([z.string(), z.array(z.string())]),
});

export const mediaKind = z.enum(["audio", "video"]);
export type MediaKindWire = z.infer<typeof mediaKind>;

/** The video codec of a room: what its broadcasters send where they can. */
export const videoCodec = z.enum(["vp8", "h264", "vp9", "av1"]);
export type VideoCodec = z.infer<typeof videoCodec>;

/** What a track shows or sounds: cameras and screens are separate broadcasts. */
export const trackSource = z.enum(["microphone", "camera", "screen", "screen-audio"]);
export type TrackSource = z.infer<typeof trackSource>;

/** A track as everyone in its room sees it. */
export const trackInfo = z.object({
  id: z.string(),
  source: trackSource,
  paused: z.boolean(),
});

/** A broadcast has one audio and one video track, named by what they carry. */
export const sourcesOf = {
  camera: { audio: "microphone", video: "camera" },
  screen: { audio: "screen-audio", video: "screen" },
} as const;

/** What mediasoup-client's `createSendTransport`/`createRecvTransport` takes. */
export const transportParameters = z.object({
  id: z.string(),
  iceParameters: z.looseObject({}),
  iceCandidates: z.array(z.looseObject({})),
  dtlsParameters,
});
export type TransportParametersWire = z.infer<typeof transportParameters>;

/** Simulcast or SVC layers to prefer. */
export const layers = z.object({
  spatialLayer: z.number().int().min(0).max(7),
  temporalLayer: z.number().int().min(0).max(7).optional(),
});

/** How a view is served; what is left out stays as it is. */
export const viewWishes = z.object({
  /** Nothing of it is sent; its seat is kept. */
  paused: z.boolean().optional(),
  /** Kinds that are held back while the others play. */
  pausedKinds: z.array(mediaKind).max(2).optional(),
  preferredLayers: layers.optional(),
  /** Who is served first where bandwidth is short, 255 before 1. */
  priority: z.number().int().min(1).max(255).optional(),
});
export type ViewWishesWire = z.infer<typeof viewWishes>;
