import type { Fleet } from "#schema/api/fleet.ts";
import type { Room as RoomInfo } from "#schema/api/rooms.ts";
import type { VideoCodec } from "#schema/media.ts";
import { asWeirError, callApi, WeirError } from "../sdk/index.ts";

export interface Tier {
  tier: number;
  broadcasts: number;
  viewers: number;
}

/** What this deployment offers to whoever opens the page. */
export interface Deployment {
  /** Whether rooms may be opened by anybody, without a key. */
  open: boolean;
  tiers: Tier[];
}

const url = location.origin;
const keyName = "weir.key";

/** Asks whether the lobby is open. @throws WeirError where nothing answers */
export async function loadDeployment(): Promise<Deployment> {
  try {
    const { tiers } = await callApi<{ tiers: Tier[] }>(
      url,
      undefined,
      "GET",
      "/v1/lobby",
    );
    return { open: true, tiers };
  } catch (error) {
    if (asWeirError(error).code !== "not-found") throw error;
    // A closed lobby tells nothing of itself: the defaults are a fair guess.
    const { readSettings } = await import("#schema/settings.ts");
    const tiers = readSettings().tiers.map((one, tier) => ({ tier, ...one }));
    return { open: false, tiers };
  }
}

/** The API key that was pasted into this tab. */
export function storedKey(): string {
  return sessionStorage.getItem(keyName) ?? "";
}

/** Keeps an API key for this tab's life; an empty one forgets it. */
export function storeKey(key: string): void {
  if (key) sessionStorage.setItem(keyName, key);
  else sessionStorage.removeItem(keyName);
}

/**
 * Opens a room; whoever does so moderates it from this tab.
 * @throws WeirError why it cannot
 */
export async function openRoom(
  open: boolean,
  body: { tier: number; codec: VideoCodec },
): Promise<RoomInfo> {
  if (!open) return callApi(url, storedKey(), "POST", "/v1/rooms", body);
  const path = "/v1/lobby/rooms";
  const opened = await callApi<RoomInfo & { moderatorKey: string }>(
    url,
    undefined,
    "POST",
    path,
    body,
  );
  const { moderatorKey, ...room } = opened;
  sessionStorage.setItem(moderatorName(room.id), moderatorKey);
  return room;
}

/** Fetches a join token for a room. @throws WeirError why there is none */
export async function fetchToken(
  open: boolean,
  roomId: string,
  identity: string,
): Promise<string> {
  const linked = linkToken(roomId);
  if (linked) return linked;
  if (open) return fetchLobbyToken(roomId, identity);
  if (!storedKey()) {
    throw new WeirError("unauthenticated", "Neither an invitation nor a key is there.");
  }
  const path = `/v1/rooms/${roomId}/tokens`;
  // Whoever holds the key may do anything with the room as it is.
  const body = { identity, roomAdmin: true };
  return (await callApi<{ token: string }>(url, storedKey(), "POST", path, body)).token;
}

async function fetchLobbyToken(roomId: string, identity: string): Promise<string> {
  const path = `/v1/lobby/rooms/${roomId}/tokens`;
  const moderatorKey = sessionStorage.getItem(moderatorName(roomId)) ?? undefined;
  const body = { identity, moderatorKey };
  const answer = await callApi<{ token: string }>(url, undefined, "POST", path, body);
  return answer.token;
}

function moderatorName(roomId: string): string {
  return `weir.moderator.${roomId}`;
}

/**
 * The join token that the room's link carried. It is taken out of the address,
 * where it would be seen and shared, and kept for this tab's life.
 */
export function linkToken(roomId: string): string | undefined {
  const name = `weir.token.${roomId}`;
  const found = new URLSearchParams(location.hash.slice(1)).get("token");
  if (found) {
    sessionStorage.setItem(name, found);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(name) ?? undefined;
}

/**
 * The link to hand on. Where the lobby is closed it carries a guest's token.
 * @throws WeirError where a token is needed and cannot be had
 */
export async function inviteLink(open: boolean, roomId: string): Promise<string> {
  const link = `${url}/room/${roomId}`;
  if (open || !storedKey()) return link;
  const path = `/v1/rooms/${roomId}/tokens`;
  const body = { identity: "Guest", ttlSeconds: 86_400 };
  const answer = await callApi<{ token: string }>(url, storedKey(), "POST", path, body);
  return `${link}#token=${answer.token}`;
}

/** The fleet as the lobby shows it. @throws WeirError `not-found` where it is closed */
export function loadFleet(): Promise<Fleet> {
  return callApi<Fleet>(url, undefined, "GET", "/v1/lobby/fleet", undefined, {
    timeoutMs: 5000,
  });
}

/** The room that the address names. */
export function roomInAddress(): string | undefined {
  return /^\/room\/(room_[a-z0-9_-]+)\/?$/.exec(location.pathname)?.[1];
}
