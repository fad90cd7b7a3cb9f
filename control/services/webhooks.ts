import type { WebhookEventName } from "#schema/api/webhooks.ts";
import { configOf, type Env } from "../env.ts";
import { openControlDatabase } from "../ledger/client.ts";
import { lastEventId, webhooksOf } from "../ledger/webhooks.ts";
import { courierOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";
import { ask } from "./ask.ts";
import { targetRefusal } from "./webhook-target.ts";

/** Adds an endpoint; its secret is made here and shown once. */
export async function addWebhook(
  env: Env,
  accountId: string,
  { url, events }: { url: string; events: WebhookEventName[] },
) {
  const { zone, webhookLoopback } = configOf(env);
  const message = targetRefusal(url, webhookLoopback);
  if (message)
    throw new Problem("validation-failed", { errors: [{ path: "url", message }] });
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const secret = `whsec_${btoa(String.fromCharCode(...bytes))}`;
  const afterEventId = await lastEventId(openControlDatabase(configOf(env)));
  const input = { accountId, url, secret, events, afterEventId };
  const { id, createdAtMs } = await ask(env, zone, "addWebhook", input);
  await courierOf(env, accountId).ring(accountId);
  return { id, url, events, createdAt: new Date(createdAtMs).toISOString(), secret };
}

/** The account's endpoints, without their secrets. */
export async function listWebhooks(env: Env, accountId: string) {
  const rows = await webhooksOf(openControlDatabase(configOf(env)), accountId);
  const webhooks = rows.map(({ id, url, events, createdAtMs }) => ({
    id,
    url,
    events: events as WebhookEventName[],
    createdAt: new Date(createdAtMs).toISOString(),
  }));
  return { webhooks };
}

/** Ends an endpoint; twice is once. */
export function removeWebhook(env: Env, accountId: string, webhookId: string) {
  return ask(env, configOf(env).zone, "removeWebhook", { accountId, webhookId });
}

/** How delivering goes to one of the account's endpoints. */
export async function readDeliveries(env: Env, accountId: string, webhookId: string) {
  await own(env, accountId, webhookId);
  return courierOf(env, accountId).deliveries(webhookId);
}

/** Delivers again all that came after an event. */
export async function replayWebhook(
  env: Env,
  accountId: string,
  webhookId: string,
  afterEventId: number,
): Promise<void> {
  await own(env, accountId, webhookId);
  await courierOf(env, accountId).replay(accountId, webhookId, afterEventId);
}

async function own(env: Env, accountId: string, webhookId: string): Promise<void> {
  const rows = await webhooksOf(openControlDatabase(configOf(env)), accountId);
  if (!rows.some((row) => row.id === webhookId)) throw new Problem("not-found");
}
