import type { AccountNotice } from "#schema/api/accounts.ts";
import type { WebhookRow } from "../../ledger/webhooks.ts";
import type { Decision } from "../decision.ts";

interface NewWebhook {
  /** Made by the caller, as the secret is sealed for it. */
  id: string;
  accountId: string;
  url: string;
  secret: string;
  events: string[];
  afterEventId: number;
}

/** Webhooks that an account may have. */
const webhooksMax = 10;

/** Takes an account's webhook into the ledger. */
export const addWebhook: Decision<NewWebhook, { createdAtMs: number }> = {
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
    const createdAtMs = draft.nowMs;
    webhooks.set(input.id, input.accountId);
    draft.changes.webhooks.put({ ...input, createdAtMs });
    return { createdAtMs };
  },
};

/** Replaces a webhook's sealed secret, unless the webhook has gone meanwhile. */
export const resealWebhook: Decision<WebhookRow, { resealed: boolean }> = {
  rooms: () => [],
  decide(draft, row) {
    if (draft.state.webhooks.get(row.id) !== row.accountId) return { resealed: false };
    draft.changes.webhooks.put(row);
    return { resealed: true };
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
