import { z } from "zod";
import { idOf } from "../ids.ts";

/** What webhooks tell; the names are LiveKit's where they mean the same. */
export const webhookEventName = z.enum([
  "room_started",
  "room_finished",
  "participant_joined",
  "participant_left",
  "track_published",
  "track_unpublished",
  "tier_changed",
  "capacity_low",
  "node_draining",
  "entitlement_expiring",
]);
export type WebhookEventName = z.infer<typeof webhookEventName>;

export const createWebhook = z
  .object({
    url: z.url().max(500),
    /** The names wanted; all of them unless given. */
    events: z.array(webhookEventName).max(32).default([]),
  })
  .meta({ id: "CreateWebhook" });

export const webhookInfo = z
  .object({
    id: idOf("webhook"),
    url: z.string(),
    events: z.array(webhookEventName),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Webhook" });

export const createdWebhook = webhookInfo
  .extend({
    /** `whsec_…`: shown this once. */
    secret: z.string(),
  })
  .meta({ id: "CreatedWebhook" });

export const webhookList = z
  .object({ webhooks: z.array(webhookInfo) })
  .meta({ id: "WebhookList" });

/** How delivering to one endpoint goes. */
export const deliveries = z
  .object({
    /** Events up to this id were delivered. */
    deliveredEventId: z.number().int(),
    /** Failures in a row; 0 while all is well. */
    failures: z.number().int(),
    nextAttemptAt: z.iso.datetime().optional(),
    /** The last attempts, newest first. */
    attempts: z.array(
      z.object({
        eventId: z.number().int(),
        type: webhookEventName,
        at: z.iso.datetime(),
        ok: z.boolean(),
        /** The answer's status, or why there was none. */
        outcome: z.string(),
      }),
    ),
  })
  .meta({ id: "Deliveries" });
export type Deliveries = z.infer<typeof deliveries>;

export const replay = z
  .object({ afterEventId: z.number().int().nonnegative() })
  .meta({ id: "Replay" });
