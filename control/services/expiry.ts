import { markWarned, unwarnedBefore } from "../databases/entitlements.ts";
import { partsOf } from "../databases/parts.ts";
import { configOf, type Env } from "../env.ts";
import { courierOf } from "../objects/names.ts";
import { ask } from "./ask.ts";

/** Warnings that one sweep gives. */
const warnedMax = 200;

/**
 * Warns accounts whose entitlements end soon, by a webhook and once for each end.
 * Nothing that is open is closed at the end; only the next opening is refused.
 */
export async function warnOfEnds(env: Env): Promise<void> {
  const config = configOf(env);
  const { accounts } = partsOf(config);
  const nowMs = Date.now();
  const untilMs = nowMs + config.settings.accounts.warnBeforeMs;
  const ending = await accounts.use((client) =>
    unwarnedBefore(client, nowMs, untilMs, warnedMax),
  );
  for (const { id, accountId, tier, endsAtMs } of ending) {
    if (endsAtMs === null) continue;
    // Told first and noted then: told twice it is the same event.
    await ask(env, config.zone, "tellAccount", {
      streamId: id,
      seq: endsAtMs,
      event: {
        type: "entitlement.expiring",
        accountId,
        entitlementId: id,
        tier,
        endsAt: new Date(endsAtMs).toISOString(),
      },
    });
    await accounts.use((client) => markWarned(client, { id, endsAtMs }));
    await courierOf(env, accountId).ring(accountId);
  }
}
