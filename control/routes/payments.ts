import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { AppEnv } from "../auth/access.ts";
import { takeStripeEvent } from "../services/payments.ts";
import { invalid } from "./invalid.ts";
import { json, refusals, route } from "./spec.ts";

/** What Stripe sends; its signature is over the bytes, so nothing parses them before. */
const anyEvent = {
  content: { "application/json": { schema: { type: "object" as const } } },
  required: true,
};

export const payments = new OpenAPIHono<AppEnv>({ defaultHook: invalid }).openapi(
  route("payments", {
    method: "post",
    path: "/v1/payments/stripe",
    summary: "Stripe's webhook: what was paid, renewed, cancelled or refunded",
    description:
      "Signed by Stripe in the `Stripe-Signature` header. Events may come often and in any order.",
    request: { body: anyEvent },
    responses: {
      200: json(z.object({ received: z.literal(true) }), "It is stored, or not needed."),
      ...refusals("bad-request", "not-found", "unavailable"),
    },
  }),
  async (c) => {
    const signature = c.req.header("stripe-signature") ?? "";
    await takeStripeEvent(c.env, await c.req.text(), signature);
    return c.json({ received: true as const }, 200);
  },
);
