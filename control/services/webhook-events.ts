import type { WebhookEventName } from "#schema/api/webhooks.ts";
import type { AccountEvent } from "../ledger/webhooks.ts";

const names: Record<string, WebhookEventName> = {
  "room.opened": "room_started",
  "room.closed": "room_finished",
  "room.reopened": "tier_changed",
  "session.joined": "participant_joined",
  "session.left": "participant_left",
  "broadcast.started": "track_published",
  "track.added": "track_published",
  "track.removed": "track_unpublished",
  "broadcast.stopped": "track_unpublished",
  "egress.warning": "capacity_low",
  "quota.warning": "capacity_low",
  "reservation.reduced": "capacity_low",
  "node.draining": "node_draining",
  "entitlement.expiring": "entitlement_expiring",
};

/** The webhook name of an event; undefined where webhooks do not tell of it. */
export function webhookNameOf({ event }: AccountEvent): WebhookEventName | undefined {
  return names[event.type];
}

/** The body of one delivery: the event as the ledger has it, and where it was. */
export function webhookBody(one: AccountEvent, type: WebhookEventName): string {
  const room = one.roomId
    ? { id: one.roomId, name: one.roomName, seq: one.seq }
    : undefined;
  return JSON.stringify({
    type,
    timestamp: new Date(one.atMs).toISOString(),
    data: { room, ...one.event },
  });
}
