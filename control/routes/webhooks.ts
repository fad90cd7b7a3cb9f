import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import * as api from "#schema/api/webhooks.ts";
import { idOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import { operatorId } from "../ledger/webhooks.ts";
import {
  addWebhook,
  listWebhooks,
  readDeliveries,
  removeWebhook,
  replayWebhook,
} from "../services/webhooks.ts";
import { invalid } from "./invalid.ts";
import { body, idParam, json, refusals, route } from "./spec.ts";

const params = idParam("webhook", idOf("webhook"));

/** Webhooks of an account, that hear of its rooms. */
export const webhooks = webhooksOf(
  "apiKey",
  "/v1/webhooks",
  "that hears of the account's rooms",
  (c) => c.var.accountId,
);

/** The operator's, that hear of the hosts. */
export const operatorWebhooks = webhooksOf(
  "operator",
  "/v1/operator/webhooks",
  "that hears of the hosts: their budgets, their drains",
  () => operatorId,
);

function webhooksOf(
  rule: "apiKey" | "operator",
  path: string,
  hears: string,
  whose: (c: Context<AppEnv>) => string,
) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalid })
    .openapi(
      route(rule, {
        method: "post",
        path,
        summary: `Add an endpoint ${hears}`,
        request: { body: body(api.createWebhook) },
        responses: {
          201: json(api.createdWebhook, "The endpoint; its secret is shown this once."),
          ...refusals("unauthenticated", "validation-failed"),
        },
      }),
      async (c) => c.json(await addWebhook(c.env, whose(c), c.req.valid("json")), 201),
    )
    .openapi(
      route(rule, {
        method: "get",
        path,
        summary: "List the endpoints",
        responses: {
          200: json(api.webhookList, "The endpoints."),
          ...refusals("unauthenticated"),
        },
      }),
      async (c) => c.json(await listWebhooks(c.env, whose(c)), 200),
    )
    .openapi(
      route(rule, {
        method: "delete",
        path: `${path}/{webhook}`,
        summary: "End an endpoint",
        request: { params },
        responses: {
          200: json(z.object({ removed: z.boolean() }), "Whether it was still there."),
          ...refusals("unauthenticated"),
        },
      }),
      async (c) => {
        const { webhook } = c.req.valid("param");
        return c.json(await removeWebhook(c.env, whose(c), webhook), 200);
      },
    )
    .openapi(
      route(rule, {
        method: "get",
        path: `${path}/{webhook}/deliveries`,
        summary: "How delivering goes, and the last attempts",
        request: { params },
        responses: {
          200: json(api.deliveries, "The state of the endpoint."),
          ...refusals("unauthenticated", "not-found"),
        },
      }),
      async (c) => {
        const { webhook } = c.req.valid("param");
        return c.json(await readDeliveries(c.env, whose(c), webhook), 200);
      },
    )
    .openapi(
      route(rule, {
        method: "post",
        path: `${path}/{webhook}/replay`,
        summary: "Deliver again all that came after an event",
        request: { params, body: body(api.replay) },
        responses: {
          200: json(z.object({}), "It starts at once."),
          ...refusals("unauthenticated", "not-found", "validation-failed"),
        },
      }),
      async (c) => {
        const { webhook } = c.req.valid("param");
        const { afterEventId } = c.req.valid("json");
        await replayWebhook(c.env, whose(c), webhook, afterEventId);
        return c.json({}, 200);
      },
    );
}
