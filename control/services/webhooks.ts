import type { WebhookEventName } from "#schema/api/webhooks.ts";
import { newId } from "#schema/ids.ts";
import { isSealedNow, seal, sealedForWebhook, unsealWebhook } from "../auth/sealed.ts";
import { configOf, type Env } from "../env.ts";
import { openControlDatabase } from "../ledger/client.ts";
import { lastEventId, webhooksAfter, webhooksOf } from "../ledger/webhooks.ts";
import { courierOf } from "../objects/names.ts";
import { Problem } from "../problem.ts";
import { ask, readRows } from "./ask.ts";
import { targetRefusal } from "./webhook-target.ts";

/** Adds an endpoint; its secret is made here and shown once. */
export async function addWebhook(
  env: Env,
  accountId: string,
  { url, events }: { url: string; events: WebhookEventName[] },
) {
  const config = configOf(env);
  const { zone, webhookLoopback } = config;
  const message = targetRefusal(url, webhookLoopback);
  if (message)
    throw new Problem("validation-failed", { errors: [{ path: "url", message }] });
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const secret = `whsec_${btoa(String.fromCharCode(...bytes))}`;
  const id = newId("webhook", zone);
  const sealed = await seal(config, secret, sealedForWebhook({ id, accountId }));
  const afterEventId = await lastEventId(openControlDatabase(config));
  const input = { id, accountId, url, secret: sealed, events, afterEventId };
  const { createdAtMs } = await ask(env, zone, "addWebhook", input);
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

/** Webhooks that one look reads while all are sealed anew. */
const pageRows = 200;

/** Seals the secrets of all webhooks under the present WEIR_SECRET_KEY. */
export async function resealWebhooks(
  env: Env,
): Promise<{ resealed: number; unchanged: number }> {
  const config = configOf(env);
  const client = openControlDatabase(config);
  let resealed = 0;
  let unchanged = 0;
  for (let after = ""; ; ) {
    const rows = await readRows(() => webhooksAfter(client, after, pageRows));
    for (const row of rows) {
      if (await isSealedNow(config, row.secret)) {
        unchanged += 1;
        continue;
      }
      const text = await unsealWebhook(config, row);
      const secret = await seal(config, text, sealedForWebhook(row));
      const done = await ask(env, config.zone, "resealWebhook", { ...row, secret });
      if (done.resealed) resealed += 1;
    }
    const last = rows.at(-1);
    if (!last || rows.length < pageRows) return { resealed, unchanged };
    after = last.id;
  }
}

async function own(env: Env, accountId: string, webhookId: string): Promise<void> {
  const rows = await webhooksOf(openControlDatabase(configOf(env)), accountId);
  if (!rows.some((row) => row.id === webhookId)) throw new Problem("not-found");
}
