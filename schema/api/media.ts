import { z } from "zod";
import { consumerParameters } from "../agent/call-results.ts";
import { idOf } from "../ids.ts";
import {
  dtlsParameters,
  layers,
  mediaKind,
  rtpCapabilities,
  rtpParameters,
  trackInfo,
  trackSource,
  transportParameters,
  viewWishes,
} from "../media.ts";
import { problemCodes } from "../problems.ts";
import { mediaClass } from "../settings.ts";

export const createBroadcast = z
  .object({
    media: mediaClass,
    /** The client's certificate fingerprint: the transport connects at once. */
    dtlsParameters: dtlsParameters.optional(),
  })
  .meta({ id: "CreateBroadcast" });

export const createdBroadcast = z
  .object({
    id: idOf("broadcast"),
    transport: transportParameters,
    /** The producer worker that takes it in. */
    workerId: z.string(),
    /** What its tracks may send in all, in kbit/s: the host holds them to it. */
    maxKbps: z.number().int(),
  })
  .meta({ id: "CreatedBroadcast" });

export const createTrack = z
  .object({
    kind: mediaKind,
    source: trackSource,
    rtpParameters,
    paused: z.boolean().default(false),
  })
  .meta({ id: "CreateTrack" });

/** A new sending transport for a broadcast that goes on. */
export const resumeBroadcast = z
  .object({ dtlsParameters: dtlsParameters.optional() })
  .meta({ id: "ResumeBroadcast" });

/** An existing track, produced again on the broadcast's new transport. */
export const resumeTrack = z
  .object({ rtpParameters, paused: z.boolean().default(false) })
  .meta({ id: "ResumeTrack" });

export const track = trackInfo.meta({ id: "Track" });
export const patchTrack = z.object({ paused: z.boolean() }).meta({ id: "PatchTrack" });

export const createViews = z
  .object({
    /** The broadcasts to watch, or all live ones but the session's own. */
    broadcasts: z.union([z.literal("all"), z.array(idOf("broadcast")).min(1).max(64)]),
    kinds: z.array(mediaKind).min(1).max(2).default(["audio", "video"]),
    /** Kinds that are there, but held back until the view is changed. */
    pausedKinds: z.array(mediaKind).max(2).default([]),
    preferredLayers: layers.optional(),
    priority: z.number().int().min(1).max(255).optional(),
    rtpCapabilities,
    /** The fingerprint of the certificate that every receiving transport uses. */
    dtlsParameters,
  })
  .meta({ id: "CreateViews" });

export const viewStatus = z.discriminatedUnion("status", [
  z.object({
    status: z.literal("ready"),
    id: idOf("view"),
    broadcastId: idOf("broadcast"),
    transportId: z.string(),
    /** The consumer worker that serves it. */
    workerId: z.string(),
    consumers: z.array(consumerParameters),
  }),
  /** Its seat is claimed; its media follows on the channel, as `views.brought`. */
  z.object({
    status: z.literal("pending"),
    id: idOf("view"),
    broadcastId: idOf("broadcast"),
  }),
  /** Refused or failed: nothing is held for it. */
  z.object({
    status: z.literal("refused"),
    broadcastId: z.string(),
    code: z.enum(problemCodes),
    detail: z.string().optional(),
  }),
]);

/** Transports that the client has not seen yet, and a status per view. */
export const watched = z
  .object({
    transports: z.array(transportParameters),
    views: z.array(viewStatus),
  })
  .meta({ id: "Watched" });
export type Watched = z.infer<typeof watched>;

export const syncView = z
  .object({ rtpCapabilities, dtlsParameters })
  .meta({ id: "SyncView" });

export const patchView = viewWishes.meta({ id: "PatchView" });

/** Changes many views of one transport at once, without asking the ledger. */
export const patchViews = z
  .object({
    views: z
      .array(z.object({ id: idOf("view"), ...viewWishes.shape }))
      .min(1)
      .max(64),
  })
  .meta({ id: "PatchViews" });

export const connectTransport = z
  .object({ dtlsParameters })
  .meta({ id: "ConnectTransport" });
export const restartedIce = z
  .object({ iceParameters: z.looseObject({}) })
  .meta({ id: "RestartedIce" });

export const resumeViews = z
  .object({ views: z.array(idOf("view")).min(1).max(64) })
  .meta({ id: "ResumeViews" });

export const mediaStats = z
  .object({ stats: z.array(z.looseObject({ type: z.string() })) })
  .meta({ id: "MediaStats" });
