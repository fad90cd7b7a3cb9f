import { DurableObject } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import type { Deliveries, WebhookEventName } from "#schema/api/webhooks.ts";
import { unsealWebhook } from "../auth/sealed.ts";
import { configOf, type Env } from "../env.ts";
import { openControlDatabase } from "../ledger/client.ts";
import {
  type AccountEvent,
  accountEventsAfter,
  type WebhookRow,
  webhooksOf,
} from "../ledger/webhooks.ts";
import { webhookBody, webhookNameOf } from "../services/webhook-events.ts";
import { targetRefusal } from "../services/webhook-target.ts";
import { wakeAt } from "./alarm.ts";
import { DeliveryLog } from "./delivery-log.ts";

/** An endpoint has this long to answer. */
const answerMs = 10_000;
/** Without a ring, the ledger is looked at this often. */
const lookAgainMs = 60_000;
// Without the database nobody knows whether anything is due.
const unavailableMs = 5000;
/** Waits between attempts, in seconds; the last one repeats. */
const backoffSeconds = [2, 5, 15, 60, 300, 900, 3600];
/** Deliveries of one waking, so that an object never works for long. */
const deliveriesMax = 50;

/**
 * One per account: brings the ledger's events to the account's webhooks, in
 * order and at least once. Each endpoint has a cursor of its own, so a slow one
 * holds up only itself.
 */
export class WebhookCourier extends DurableObject<Env> {
  readonly #log: DeliveryLog;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#log = new DeliveryLog(ctx.storage.sql);
  }

  /** Something happened in one of the account's rooms, or its webhooks changed. */
  async ring(accountId: string): Promise<void> {
    await this.ctx.storage.put("accountId", accountId);
    await wakeAt(this.ctx.storage, Date.now());
  }

  /** How delivering to one endpoint goes. */
  async deliveries(webhookId: string): Promise<Deliveries> {
    return this.#log.read(webhookId);
  }

  /** Delivers again what came after an event, and anew what failed. */
  async replay(
    accountId: string,
    webhookId: string,
    afterEventId: number,
  ): Promise<void> {
    this.#log.rewind(webhookId, afterEventId);
    await this.ring(accountId);
  }

  override async alarm(): Promise<void> {
    try {
      await this.#serveAll();
    } catch (error) {
      // The platform would give up after some attempts: an outage may last longer.
      console.error(JSON.stringify({ alert: "courier-failed", error: String(error) }));
      await wakeAt(this.ctx.storage, Date.now() + unavailableMs);
    }
  }

  async #serveAll(): Promise<void> {
    const accountId = await this.ctx.storage.get<string>("accountId");
    if (!accountId) return;
    const client = openControlDatabase(configOf(this.env));
    const webhooks = await webhooksOf(client, accountId);
    if (webhooks.length === 0) return;
    const nextMs = await Promise.all(
      webhooks.map((webhook) =>
        this.#serve(webhook, (afterId) => accountEventsAfter(client, accountId, afterId)),
      ),
    );
    await wakeAt(this.ctx.storage, Math.min(...nextMs));
  }

  /** Delivers to one endpoint; answers when it has to be looked at again. */
  async #serve(
    webhook: WebhookRow,
    read: (afterId: number) => ReturnType<typeof accountEventsAfter>,
  ): Promise<number> {
    const state = this.#log.stateOf(webhook.id, webhook.afterEventId);
    if (state.nextAttemptAtMs > Date.now()) return state.nextAttemptAtMs;
    let delivered = 0;
    let cursor = state.deliveredEventId;
    for (;;) {
      const { events, scannedId } = await read(cursor);
      if (scannedId === cursor) return Date.now() + lookAgainMs;
      for (const one of events) {
        const type = webhookNameOf(one);
        if (!type || !wants(webhook, type)) continue;
        const failed = await this.#deliver(webhook, one, type);
        if (failed) return this.#log.failed(webhook.id, one.id - 1, backoffSeconds);
        this.#log.delivered(webhook.id, one.id);
        delivered += 1;
        if (delivered >= deliveriesMax) return Date.now();
      }
      cursor = scannedId;
      this.#log.delivered(webhook.id, cursor);
    }
  }

  /** @returns why it failed, if it did */
  async #deliver(
    webhook: WebhookRow,
    one: AccountEvent,
    type: WebhookEventName,
  ): Promise<string | undefined> {
    const outcome = await this.#post(webhook, one, type);
    const ok = /^2\d\d$/.test(outcome);
    this.#log.note(webhook.id, { eventId: one.id, type, atMs: Date.now(), ok, outcome });
    return ok ? undefined : outcome;
  }

  async #post(
    webhook: WebhookRow,
    one: AccountEvent,
    type: WebhookEventName,
  ): Promise<string> {
    const config = configOf(this.env);
    const { url } = webhook;
    const refusal = targetRefusal(url, config.webhookLoopback);
    if (refusal) return refusal;
    // The same event has the same id at every attempt: receivers drop doubles.
    const id = `evt_${config.zone}_${one.id}`;
    const secret = await unsealWebhook(config, webhook);
    const body = webhookBody(one, type);
    const now = new Date();
    try {
      const response = await fetch(url, {
        method: "POST",
        redirect: "manual",
        signal: AbortSignal.timeout(answerMs),
        headers: {
          "content-type": "application/json",
          "webhook-id": id,
          "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
          "webhook-signature": new Webhook(secret).sign(id, now, body),
        },
        body,
      });
      await response.body?.cancel();
      return String(response.status);
    } catch (error) {
      return error instanceof Error && error.name === "TimeoutError"
        ? "no answer in time"
        : "could not be reached";
    }
  }
}

function wants({ events }: WebhookRow, type: WebhookEventName): boolean {
  return events.length === 0 || events.includes(type);
}
