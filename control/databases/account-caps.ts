import type { OwnCaps, ToldCaps } from "#schema/caps.ts";
import type { AccountRow } from "./accounts.ts";

/** An account's own caps, as zones are told them. */
export function toldCapsOf(row: AccountRow): ToldCaps {
  return {
    rooms: row.roomsMax,
    reservedPoints: row.pointsMax,
    sessions: row.sessionsMax,
    egressKbps: row.egressMaxKbps,
    version: row.capsVersion,
  };
}

/** The columns in which caps are kept. */
export function capColumns(caps: Partial<OwnCaps>) {
  return {
    roomsMax: caps.rooms,
    pointsMax: caps.reservedPoints,
    sessionsMax: caps.sessions,
    egressMaxKbps: caps.egressKbps,
  };
}
