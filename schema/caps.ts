import { z } from "zod";

/** What an account may hold at once in a zone is capped in these, by these names. */
export const capNames = ["rooms", "reservedPoints", "sessions", "egressKbps"] as const;
export type CapName = (typeof capNames)[number];

const cap = z.number().int().min(0).max(2_000_000_000).nullable();

/** An account's own caps; null: the deployment's, 0: nothing at all. */
export const ownCaps = z
  .object({
    rooms: cap.meta({ description: "Open rooms." }),
    reservedPoints: cap.meta({ description: "Points that rooms keep on workers." }),
    sessions: cap.meta({ description: "Sessions in all of its rooms." }),
    egressKbps: cap.meta({
      description: "Nominal kbit/s of all that its sessions watch.",
    }),
  })
  .meta({ id: "OwnCaps" });
export type OwnCaps = z.infer<typeof ownCaps>;

/** Caps as they are told to a zone: older versions change nothing there. */
export interface ToldCaps extends OwnCaps {
  version: number;
}

const standing = z.object({
  max: z.number().int().nullable().meta({ description: "Null: no cap." }),
  own: z.boolean().meta({ description: "Whether it is the account's own." }),
  used: z.number().int().optional().meta({
    description: "Absent while the zone does not answer.",
  }),
});

/** Every cap as it stands, and what of it is used. */
export const capsStanding = z
  .object({
    rooms: standing,
    reservedPoints: standing,
    sessions: standing,
    egressKbps: standing,
  })
  .meta({ id: "Caps" });
export type CapsStanding = z.infer<typeof capsStanding>;
