import type { AccountNotice } from "#schema/api/accounts.ts";
import type { Decision } from "../decision.ts";

interface NewWebhook {
  accountId: string;
  url: string;
  secret: string;
  events: string[];
  afterEventId: number;
}

/** Webhooks that an account may have. */
const webhooksMax = 10;

/** Takes an account's webhook into the ledger. */
export const addWebhook: Decision<NewWebhook, { id: string; createdAtMs: number }> = {
  rooms: () => [],
  decide(draft, input) {
    const { webhooks } = draft.state;
    const own = [...webhooks.values()].filter(
      (accountId) => accountId === input.accountId,
    );
    if (own.length >= webhooksMax) {
      const detail = `An account has at most ${webhooksMax} webhooks.`;
      return { refusal: "validation-failed", detail };
    }
    const id = draft.newId("webhook");
    const createdAtMs = draft.nowMs;
    webhooks.set(id, input.accountId);
    draft.changes.webhooks.put({ id, ...input, createdAtMs });
    return { id, createdAtMs };
  },
};

/** Takes a webhook out; twice is once. */
export const removeWebhook: Decision<
  { accountId: string; webhookId: string },
  { removed: boolean }
> = {
  rooms: () => [],
  decide(draft, { accountId, webhookId }) {
    const { webhooks } = draft.state;
    if (webhooks.get(webhookId) !== accountId) return { removed: false };
    webhooks.delete(webhookId);
    draft.changes.webhooks.remove(webhookId);
    return { removed: true };
  },
};

/** Writes an account's own event down, for its webhooks; told twice it is one. */
export const tellAccount: Decision<
  { streamId: string; seq: number; event: AccountNotice },
  Record<string, never>
> = {
  rooms: () => [],
  decide(draft, { streamId, seq, event }) {
    draft.changes.events.put({ streamId, seq, atMs: draft.nowMs, event });
    return {};
  },
};
