import { z } from "zod";

/*
 * What counts of a payment event. It is all that is kept: no card, name or
 * address, and nothing that the provider could be asked for again.
 */

const whose = {
  /** The account that it is for, where the event names one. */
  accountId: z.string().max(96).optional(),
  /** The tier that it buys, where the event names one. */
  tier: z.number().int().min(0).max(63).optional(),
};

export const paymentFacts = z.discriminatedUnion("kind", [
  /** A subscription as it stood at the event. */
  z.object({
    kind: z.literal("subscription"),
    ...whose,
    /** Among events of the same second, the later has the higher rank. */
    rank: z.number().int(),
    status: z.string(),
    startsAtMs: z.number(),
    periodStartMs: z.number(),
    periodEndMs: z.number(),
    /** When it is to end by request. */
    cancelAtMs: z.number().optional(),
    /** When it ended. */
    endedAtMs: z.number().optional(),
  }),
  /** A checkout tells for whom a subscription is. */
  z.object({ kind: z.literal("link"), ...whose }),
  /** A single payment buys a tier for some days. */
  z.object({
    kind: z.literal("payment"),
    ...whose,
    paid: z.boolean(),
    days: z.number().int().positive().optional(),
  }),
  /** A single payment was given back, in part or whole. */
  z.object({
    kind: z.literal("refund"),
    /** How much of it, 0 to 1, with what was given back before. Absent: all. */
    share: z.number().min(0).max(1).optional(),
  }),
  /** The payer's bank took a payment back, or tells how that came out. */
  z.object({
    kind: z.literal("dispute"),
    disputeId: z.string(),
    state: z.enum(["open", "won", "lost"]),
  }),
]);
export type PaymentFacts = z.infer<typeof paymentFacts>;
