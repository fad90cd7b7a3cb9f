import { newId } from "#schema/ids.ts";
import { keyRingOf } from "../auth/key-ring.ts";
import { putPurchased } from "../databases/entitlements.ts";
import { partsOf } from "../databases/parts.ts";
import {
  markCarried,
  type PurchaseRow,
  putPurchase,
  storePaymentEvent,
  uncarriedPurchases,
} from "../databases/purchases.ts";
import { configOf, type Env } from "../env.ts";
import { purchaseOf } from "../premium/purchase.ts";
import { type PaymentEvent, readStripeEvent } from "../premium/stripe-facts.ts";
import { Problem } from "../problem.ts";

/**
 * Takes a payment event from Stripe: it is stored once, however often it comes,
 * and its account is entitled to what it amounts to. With the accounts down it
 * is stored all the same, and carried there by the sweep.
 * @param body as it came, byte for byte: the signature is over that
 * @throws Problem `bad-request` for what Stripe did not sign, `unavailable`
 */
export async function takeStripeEvent(
  env: Env,
  body: string,
  signature: string,
): Promise<void> {
  const config = configOf(env);
  const { premium } = partsOf(config);
  if (!premium) {
    throw new Problem("not-found", { detail: "No premium database is configured." });
  }
  const signed = await verifiedEvent(env, body, signature);
  const event = readEvent(signed, config.settings.payments.tierOf);
  if (!event) return;
  const received = { ...event, receivedAtMs: Date.now() };
  const events = await premium.use((client) => storePaymentEvent(client, received));
  const row: PurchaseRow = {
    id: event.purchaseId,
    ...purchaseOf(events, config.settings.payments),
    events: events.length,
    carriedEvents: 0,
    trouble: null,
  };
  await premium.use((client) => putPurchase(client, row));
  await carry(env, row);
}

/** Carries to the accounts what they have not heard of. @throws Problem `unavailable` */
export async function carryPurchases(env: Env): Promise<void> {
  const config = configOf(env);
  const { premium } = partsOf(config);
  const { carriedMax } = config.settings.payments;
  if (!premium) return;
  const rows = await premium.use((client) => uncarriedPurchases(client, carriedMax));
  for (const row of rows) await carry(env, row);
}

/** Entitles an account to a purchase; where it cannot, it is tried again later. */
async function carry(env: Env, row: PurchaseRow): Promise<void> {
  const config = configOf(env);
  const { accounts, premium } = partsOf(config);
  if (!premium) return;
  const { id, accountId, tier, startsAtMs, endsAtMs, renewsAtMs, events } = row;
  let trouble: string | null = null;
  if (endsAtMs !== null) {
    if (accountId === null) trouble = "no event names its account (weir_account)";
    else if (tier === null) trouble = "no event names its tier (weir_tier)";
    else {
      const entitlement = {
        id: newId("entitlement", config.zone),
        accountId,
        tier,
        startsAtMs,
        endsAtMs,
        renewsAtMs,
        source: "payment" as const,
        purchaseId: id,
        purchaseEvents: events,
        warnedOfEndMs: null,
      };
      try {
        const known = await accounts.use((client) => putPurchased(client, entitlement));
        if (!known) trouble = `there is no account ${accountId}`;
        keyRingOf(config).forgetAccount(accountId);
      } catch (error) {
        if (error instanceof Problem) return;
        throw error;
      }
    }
  }
  if (trouble !== null && trouble !== row.trouble) {
    console.error(JSON.stringify({ alert: "purchase-not-carried", id, trouble }));
  }
  await premium.use((client) => markCarried(client, row, trouble));
}

/** Lets Stripe's own library check the signature, under each secret that is good. */
async function verifiedEvent(
  env: Env,
  body: string,
  signature: string,
): Promise<unknown> {
  const { stripeSecrets, settings } = configOf(env);
  // It is large, and most isolates never see a payment.
  const { Stripe } = await import("stripe");
  const crypto = Stripe.createSubtleCryptoProvider();
  const { toleranceSeconds } = settings.payments;
  let reason = "";
  for (const secret of stripeSecrets) {
    try {
      return await Stripe.webhooks.constructEventAsync(
        body,
        signature,
        secret,
        toleranceSeconds,
        crypto,
      );
    } catch (error) {
      reason = error instanceof Error ? error.name : "unknown";
    }
  }
  const detail = `The Stripe-Signature does not fit the body, or is too old (${reason}).`;
  throw new Problem("bad-request", { detail });
}

function readEvent(
  signed: unknown,
  tierOf: Record<string, number>,
): PaymentEvent | undefined {
  try {
    return readStripeEvent(signed, tierOf);
  } catch (error) {
    // Stripe sends it again, and shows it as failed: that is where one looks.
    const detail = `The event has a shape that is not known here: ${String(error)}`;
    throw new Problem("bad-request", { detail: detail.slice(0, 500) });
  }
}
