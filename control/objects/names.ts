import { zoneOf } from "#schema/ids.ts";
import { configOf, type Env } from "../env.ts";
import { Problem } from "../problem.ts";
import type { NodeMailbox } from "./node-mailbox.ts";
import type { RoomChannel } from "./room-channel.ts";
import type { WebhookCourier } from "./webhook-courier.ts";
import type { ZoneBroker } from "./zone-broker.ts";

/*
 * A stub's own types lose generics and unions on the way; its methods take and
 * give what the class's do, as all of it is plain data.
 */
type BrokerStub = Pick<
  ZoneBroker,
  "ask" | "eventsAfter" | "findDrift" | "outboxAfter" | "ready" | "roomOf" | "sweep"
>;
type MailboxStub = Pick<
  NodeMailbox,
  "begin" | "call" | "deliver" | "heartbeat" | "poll" | "report"
>;
type CourierStub = Pick<WebhookCourier, "deliveries" | "replay" | "ring">;
type ChannelStub = Pick<RoomChannel, "deliver" | "fetch" | "tell">;

/**
 * The name of the channel object that serves a room: its own from tier 1 on,
 * one of the global ones for a free room.
 */
export function channelNameOf(
  roomId: string,
  tier: number,
  globalChannels: number,
): string {
  if (tier > 0) return roomId;
  let hash = 0;
  for (const char of roomId) hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
  return `global-${hash % globalChannels}`;
}

/**
 * The broker of a zone.
 * @throws Problem `not-found` for a zone that is none of this deployment: an id
 *   is anybody's text, and must not bring an object to life
 */
export function brokerOf(env: Env, zone: string): BrokerStub {
  if (zone !== configOf(env).zone) throw new Problem("not-found");
  const stub: unknown = env.ZONE_BROKER.get(env.ZONE_BROKER.idFromName(zone));
  return stub as BrokerStub;
}

/**
 * The mailbox of a node.
 * @throws Problem `not-found` for a node of no zone of this deployment
 */
export function mailboxOf(env: Env, nodeId: string): MailboxStub {
  if (zoneOf(nodeId) !== configOf(env).zone) throw new Problem("not-found");
  const stub: unknown = env.NODE_MAILBOX.get(env.NODE_MAILBOX.idFromName(nodeId));
  return stub as MailboxStub;
}

/** A channel by its name. */
export function channelOf(env: Env, name: string): ChannelStub {
  const stub: unknown = env.ROOM_CHANNEL.get(env.ROOM_CHANNEL.idFromName(name));
  return stub as ChannelStub;
}

/** The courier of an account's webhooks. */
export function courierOf(env: Env, accountId: string): CourierStub {
  const stub: unknown = env.WEBHOOK_COURIER.get(
    env.WEBHOOK_COURIER.idFromName(accountId),
  );
  return stub as CourierStub;
}

/**
 * Whether an object ended, or took no more, while it was asked: what was asked may
 * be done or not, and the next call finds the object anew.
 */
export function isObjectGone(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { durableObjectReset, overloaded, retryable } = error as Partial<
    Record<"durableObjectReset" | "overloaded" | "retryable", boolean>
  > &
    Error;
  return Boolean(durableObjectReset || overloaded || retryable);
}
