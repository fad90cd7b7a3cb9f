import type { CapName, ToldCaps } from "#schema/caps.ts";
import { heldOf, learnCaps } from "../account-caps.ts";
import type { Decision } from "../decision.ts";

/** What an account holds now; what it may is taken in where it is told. */
export const readAccountUse: Decision<
  { accountId: string; caps?: ToldCaps },
  Record<CapName, number>
> = {
  rooms: () => [],
  decide(draft, { accountId, caps }) {
    if (caps) learnCaps(draft, accountId, caps);
    const use = draft.state.accounts.get(accountId);
    if (use) return heldOf(use, draft.settings);
    return { rooms: 0, reservedPoints: 0, sessions: 0, egressKbps: 0 };
  },
};
