import type { Entry, Room } from "#schema/api/rooms.ts";
import { zoneOf } from "#schema/ids.ts";
import type { VideoCodec } from "#schema/media.ts";
import { type Joining, mintJoinToken, signSession } from "../auth/tokens.ts";
import { roomView } from "../broker/decide/rooms.ts";
import type { IdempotencyScope } from "../broker/requests.ts";
import { configOf, type Env } from "../env.ts";
import { openControlDatabase } from "../ledger/client.ts";
import { roomsOfAccount } from "../ledger/find.ts";
import { channelNameOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";
import { ask, readRows } from "./ask.ts";

export interface NewRoom {
  tier: number;
  name?: string;
  zone?: string;
  reserve: boolean;
  codec?: VideoCodec;
}

/** Opens a room in a zone; one zone is all that this deployment knows so far. */
export async function openRoom(
  env: Env,
  accountId: string,
  room: NewRoom,
): Promise<Room> {
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
  return ask(env, zone, "createRoom", { accountId, tier, name, reserve, codec });
}

/** Changes an account's room: its name, its tier, whether its tier is reserved. */
export async function changeRoom(
  env: Env,
  accountId: string,
  roomId: string,
  change: { name?: string; tier?: number; reserve?: boolean },
): Promise<Room> {
  checkTier(env, change.tier);
  const zone = zoneOf(roomId) ?? "";
  return ask(env, zone, "changeRoom", { roomId, accountId, ...change });
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

/** Mints a join token for one of the account's rooms. */
export async function mintToken(
  env: Env,
  accountId: string,
  roomId: string,
  grants: Omit<Joining, "roomId" | "keyId"> & { ttlSeconds: number },
): Promise<{ token: string; expiresAt: string }> {
  const room = await ask(env, zoneOf(roomId) ?? "", "readRoom", { roomId, accountId });
  if (room.state !== "open") throw new Problem("room-closed");
  const { identity, canPublish, canSubscribe, roomAdmin, ttlSeconds } = grants;
  const joining = { roomId, identity, canPublish, canSubscribe, roomAdmin };
  return mintJoinToken(configOf(env).apiKey, joining, ttlSeconds);
}

/** Lets the bearer of a join token into its room. */
export async function enterRoom(
  env: Env,
  roomId: string,
  joining: Joining,
  idempotency?: IdempotencyScope,
): Promise<Entry> {
  if (joining.roomId !== roomId) throw new Problem("not-found");
  const config = configOf(env);
  const { identity, canPublish, canSubscribe, roomAdmin } = joining;
  const input = { roomId, identity, canPublish, canSubscribe, roomAdmin };
  const zone = zoneOf(roomId) ?? "";
  const entered = await ask(env, zone, "enterRoom", input, idempotency);
  const { sessionId, room, eventSeq, sessions, broadcasts } = entered;
  const credential = await signSession(config, { sessionId, roomId, identity });
  return {
    session: { id: sessionId, identity },
    ...credential,
    room,
    routerRtpCapabilities:
      entered.routerRtpCapabilities as Entry["routerRtpCapabilities"],
    iceServers: config.iceServers,
    channelPath: `/v1/rooms/${roomId}/channels/${channelNameOf(roomId, room.tier, config.settings.chat.globalChannels)}`,
    eventSeq,
    sessions,
    broadcasts,
    picturesMax: config.settings.watching.picturesMax,
  };
}
