import type { Entry, OpenedRoom, Room } from "#schema/api/rooms.ts";
import { zoneOf } from "#schema/ids.ts";
import type { VideoCodec } from "#schema/media.ts";
import type { Joining } from "../auth/join-tokens.ts";
import type { KnownKey } from "../auth/key-ring.ts";
import { type Grants, mintJoinToken } from "../auth/mint.ts";
import { signSession } from "../auth/tokens.ts";
import { roomView } from "../broker/decide/rooms.ts";
import type { IdempotencyScope } from "../broker/requests.ts";
import { configOf, type Env } from "../env.ts";
import { openControlDatabase } from "../ledger/client.ts";
import { roomsOfAccount } from "../ledger/find.ts";
import { channelNameOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";
import { ask, readRows } from "./ask.ts";
import { routerCapabilities } from "./codecs.ts";
import { entitlementMissing, entitlementTo } from "./entitled.ts";
import { iceServersFor } from "./ice-servers.ts";
import { requireUnrevoked } from "./revocations.ts";

export interface NewRoom {
  tier: number;
  name?: string;
  zone?: string;
  reserve: boolean;
  codec?: VideoCodec;
}

/**
 * Opens a room of an account, in a zone; one zone is all that a deployment has.
 * @throws Problem `entitlement-missing` for a tier that the account has not bought
 */
export async function openRoom(
  env: Env,
  key: KnownKey,
  room: NewRoom,
): Promise<OpenedRoom> {
  const { zone } = configOf(env);
  if (room.zone && room.zone !== zone) {
    throw new Problem("validation-failed", {
      errors: [
        { path: "zone", message: `is not a zone of this deployment; there is ${zone}` },
      ],
    });
  }
  const { tier, name, reserve, codec } = room;
  checkTier(env, tier);
  const { entitled, warnings } = await entitlementTo(env, key, tier);
  if (tier > entitled) throw entitlementMissing(tier, entitled);
  const { accountId, caps } = key;
  const input = { accountId, tier, name, reserve, codec, caps };
  return { ...(await ask(env, zone, "createRoom", input)), warnings };
}

/**
 * Changes an account's room: its name, its tier, whether its tier is reserved. A
 * higher tier is an opening, and takes an entitlement like one.
 */
export async function changeRoom(
  env: Env,
  key: KnownKey,
  roomId: string,
  change: { name?: string; tier?: number; reserve?: boolean },
): Promise<OpenedRoom> {
  checkTier(env, change.tier);
  const { accountId, caps } = key;
  const { entitled, warnings } = await entitlementTo(env, key, change.tier ?? 0);
  const input = { roomId, accountId, entitledTier: entitled, caps, ...change };
  return { ...(await ask(env, zoneOf(roomId) ?? "", "changeRoom", input)), warnings };
}

function checkTier(env: Env, tier: number | undefined): void {
  const { tiers } = configOf(env).settings;
  if (tier === undefined || tiers[tier]) return;
  const message = `there are tiers 0 to ${tiers.length - 1}`;
  throw new Problem("validation-failed", { errors: [{ path: "tier", message }] });
}

/** A page of an account's rooms, closed ones included. */
export async function listRooms(
  env: Env,
  accountId: string,
  cursor: string,
  limit: number,
): Promise<{ rooms: Room[]; nextCursor?: string }> {
  const client = openControlDatabase(configOf(env));
  const rows = await readRows(() => roomsOfAccount(client, accountId, cursor, limit + 1));
  const rooms = rows.slice(0, limit).map(roomView);
  return { rooms, nextCursor: rows.length > limit ? rooms.at(-1)?.id : undefined };
}

/** Mints a join token for one of the account's rooms, with one of its keys. */
export async function mintToken(
  env: Env,
  key: KnownKey,
  roomId: string,
  grants: Minting,
): Promise<{ token: string; expiresAt: string }> {
  const { accountId } = key;
  const room = await ask(env, zoneOf(roomId) ?? "", "readRoom", { roomId, accountId });
  if (room.state !== "open") throw new Problem("room-closed");
  const { ttlSeconds, ...joining } = grants;
  const maxSeconds = configOf(env).settings.tokens.joinTtlMaxMs / 1000;
  if (ttlSeconds > maxSeconds) {
    const message = `is more than ${maxSeconds}: a token is good for so long at most`;
    throw new Problem("validation-failed", { errors: [{ path: "ttlSeconds", message }] });
  }
  return mintJoinToken(key, { roomId, ...joining }, ttlSeconds);
}

type Minting = Grants & { identity: string; ttlSeconds: number };

/**
 * Lets the bearer of a join token into its room, or who was in there before and
 * comes back: signature and key were checked; a revocation is asked for, and the
 * broker commits.
 */
export async function enterRoom(
  env: Env,
  roomId: string,
  joining: Joining,
  idempotency?: IdempotencyScope,
): Promise<Entry> {
  if (joining.roomId !== roomId) throw new Problem("not-found");
  await requireUnrevoked(env, joining);
  const config = configOf(env);
  const { keyId, issuedAtMs: _, origin, ...input } = joining;
  const zone = zoneOf(roomId) ?? "";
  const entered = await ask(env, zone, "enterRoom", input, idempotency);
  const { sessionId, room, eventSeq, sessions, broadcasts } = entered;
  const { identity, canPublish, canPublishSources, canSubscribe, roomAdmin } = joining;
  const grants = { canPublish, canPublishSources, canSubscribe, roomAdmin };
  const principal = { sessionId, roomId, identity, keyId, grants, origin };
  const credential = await signSession(config, principal);
  return {
    session: { id: sessionId, identity },
    ...credential,
    room,
    routerRtpCapabilities: await routerCapabilities(env, zone, entered.codecsHash),
    iceServers: await iceServersFor(config, identity),
    channelPath: `/v1/rooms/${roomId}/channels/${channelNameOf(roomId, room.tier, config.settings.chat.globalChannels)}`,
    eventSeq,
    sessions,
    broadcasts,
    picturesMax: config.settings.watching.picturesMax,
  };
}
