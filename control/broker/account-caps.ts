import type { CapName, ToldCaps } from "#schema/caps.ts";
import type { MediaClass, Settings } from "#schema/settings.ts";
import type { AccountUse } from "../ledger/account-use.ts";
import { nominalKbps } from "../placement/weight.ts";
import type { Refusal } from "./decision.ts";
import type { Draft } from "./draft.ts";
import type { RoomState } from "./state.ts";

/*
 * What an account may hold at once. Only admissions are held against a cap: who
 * comes in, what is opened, reserved or watched anew. What is held already keeps
 * its place whatever becomes of the cap: a view that moves counts once, and one
 * that waits for another seat counts on, so that getting it exceeds nothing.
 */

/** What an account holds, in the words of its caps. */
export function heldOf(use: AccountUse, settings: Settings): Record<CapName, number> {
  const kbps = (media: MediaClass) => nominalKbps(settings, media).view;
  return {
    rooms: use.roomsOpen,
    reservedPoints: use.pointsReserved,
    sessions: use.sessionsPresent,
    egressKbps: use.camerasWatched * kbps("camera") + use.screensWatched * kbps("screen"),
  };
}

/** An account's caps, its own or else the deployment's; null: none. */
export function capsOf(
  use: AccountUse,
  settings: Settings,
): Record<CapName, number | null> {
  const { caps } = settings.accounts;
  return {
    rooms: use.roomsMax ?? caps.rooms ?? null,
    reservedPoints: use.pointsMax ?? caps.reservedPoints ?? null,
    sessions: use.sessionsMax ?? caps.sessions ?? null,
    egressKbps: use.egressMaxKbps ?? caps.egressKbps ?? null,
  };
}

/** Takes in what the accounts say that an account may hold; older news is passed over. */
export function learnCaps(draft: Draft, accountId: string, told?: ToldCaps): void {
  const use = draft.accountUse(accountId);
  if (!told || told.version <= use.capsVersion) return;
  use.roomsMax = told.rooms;
  use.pointsMax = told.reservedPoints;
  use.sessionsMax = told.sessions;
  use.egressMaxKbps = told.egressKbps;
  use.capsVersion = told.version;
  draft.touchAccount(use);
}

/**
 * Why an account may not hold so much more, naming the cap, its value and what is
 * used; undefined where it may.
 */
export function capRefusal(
  draft: Draft,
  accountId: string,
  name: CapName,
  more: number,
): Refusal | undefined {
  const use = draft.accountUse(accountId);
  const max = capsOf(use, draft.settings)[name];
  const used = heldOf(use, draft.settings)[name];
  if (max === null || used + more <= max) return undefined;
  const [what, remedy] = words[name];
  return {
    refusal: "account-cap-exceeded",
    cap: { name, max, used },
    detail:
      `The account may have ${max} ${what} at once (its cap ${name}); ` +
      `${used} are in use and this takes ${more} more: ${remedy}, or ask the operator to raise the cap.`,
  };
}

const words: Record<CapName, readonly [string, string]> = {
  rooms: ["open rooms", "close a room"],
  reservedPoints: [
    "reserved points",
    "open the room without reserve, or end a reservation",
  ],
  sessions: ["sessions in its rooms", "wait until someone leaves"],
  egressKbps: ["kbit/s of views", "watch fewer broadcasts"],
};

/** The most of some broadcasts that an account's cap lets a session watch, in order. */
export function capViews(
  draft: Draft,
  room: RoomState,
  sessionId: string,
  broadcastIds: readonly string[],
): { allowed: string[]; refused: { broadcastId: string; refusal: Refusal }[] } {
  const { accountId } = room.row;
  const allowed: string[] = [];
  const refused: { broadcastId: string; refusal: Refusal }[] = [];
  let more = 0;
  for (const broadcastId of broadcastIds) {
    const media = draft.state.picture.broadcasts.get(broadcastId)?.mediaClass;
    // Whoever waits for another seat has what they watched counted already.
    const counted = draft.state.waiting.get(sessionId, broadcastId) !== undefined;
    const kbps = media && !counted ? nominalKbps(draft.settings, media).view : 0;
    const refusal =
      kbps > 0 ? capRefusal(draft, accountId, "egressKbps", more + kbps) : undefined;
    if (refusal) refused.push({ broadcastId, refusal });
    else {
      allowed.push(broadcastId);
      more += kbps;
    }
  }
  return { allowed, refused };
}

/**
 * Makes a change to what a session watches or waits to watch again, and counts it
 * where the session has the broadcast before or after it, and not both.
 */
export function countingWatched(
  draft: Draft,
  room: RoomState,
  sessionId: string,
  broadcastId: string,
  change: () => void,
): void {
  const before = isWatched(draft, room, sessionId, broadcastId);
  change();
  const after = isWatched(draft, room, sessionId, broadcastId);
  if (before === after) return;
  const media = draft.state.picture.broadcasts.get(broadcastId)?.mediaClass;
  if (!media) throw new Error(`Broadcast ${broadcastId} is not in the picture.`);
  const use = draft.accountUse(room.row.accountId);
  const by = after ? 1 : -1;
  if (media === "camera") use.camerasWatched += by;
  else use.screensWatched += by;
  draft.touchAccount(use);
}

function isWatched(
  draft: Draft,
  room: RoomState,
  sessionId: string,
  broadcastId: string,
): boolean {
  return (
    (room.viewsBySession.get(sessionId)?.has(broadcastId) ?? false) ||
    draft.state.waiting.get(sessionId, broadcastId) !== undefined
  );
}
