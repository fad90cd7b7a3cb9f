import { z } from "zod";

const positive = z.number().int().positive();

/** What may come at once, and then per second. */
const allowance = (burst: number, perSecond: number) =>
  z
    .object({
      burst: positive.prefault(burst),
      perSecond: z.number().positive().prefault(perSecond),
    })
    .prefault({});

/**
 * How much of each kind may come at once, and then per second. A room of 96
 * behind one address is far below all of them.
 */
export const limitSettings = z
  .object({
    /** Per address: calls with a credential. */
    address: allowance(3000, 300),
    /** Per address: calls that take none, sockets among them. */
    open: allowance(1500, 150),
    /** Per address: entering, and publishing by WHIP. */
    entry: allowance(600, 60),
    /** Per address: hosts that register. */
    register: allowance(600, 20),
    /** Per address: payment events, before their signature is looked at. */
    payments: allowance(300, 50),
    /** Per API key or operator. */
    key: allowance(2000, 300),
    /** Per node: its agent's calls. */
    node: allowance(2000, 300),
    /** Per room and identity: entering again and again. */
    identity: allowance(120, 5),
    /** Per session: all of its calls. */
    session: allowance(300, 30),
    /** Per session: what it claims or changes, counted exactly. */
    claim: allowance(120, 10),
    /** Per room: what is claimed or changed in it, counted exactly. */
    room: allowance(2000, 200),
  })
  .prefault({});
