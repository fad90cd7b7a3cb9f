import { createApp } from "./app.ts";
import type { Env } from "./env.ts";
import { configOf } from "./env.ts";
import { brokerOf } from "./objects/names.ts";
import { sweep } from "./services/sweep.ts";

export { NodeMailbox } from "./objects/node-mailbox.ts";
export { RoomChannel } from "./objects/room-channel.ts";
export { WebhookCourier } from "./objects/webhook-courier.ts";
export { ZoneBroker } from "./objects/zone-broker.ts";

const app = createApp();

export default {
  fetch: app.fetch,

  /** Cron's floor is a minute: it only pokes what has to look again. */
  async scheduled(_controller, env, ctx) {
    ctx.waitUntil(brokerOf(env, configOf(env).zone).sweep());
    ctx.waitUntil(sweep(env));
  },
} satisfies ExportedHandler<Env>;
