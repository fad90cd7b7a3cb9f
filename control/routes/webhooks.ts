import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as api from "#schema/api/webhooks.ts";
import { idOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
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

export const webhooks = new OpenAPIHono<AppEnv>({ defaultHook: invalid })
  .openapi(
    route("apiKey", {
      method: "post",
      path: "/v1/webhooks",
      summary: "Add an endpoint that hears of the account's rooms",
      request: { body: body(api.createWebhook) },
      responses: {
        201: json(api.createdWebhook, "The endpoint; its secret is shown this once."),
        ...refusals("unauthenticated", "validation-failed"),
      },
    }),
    async (c) =>
      c.json(await addWebhook(c.env, c.var.accountId, c.req.valid("json")), 201),
  )
  .openapi(
    route("apiKey", {
      method: "get",
      path: "/v1/webhooks",
      summary: "List the account's endpoints",
      responses: {
        200: json(api.webhookList, "The endpoints."),
        ...refusals("unauthenticated"),
      },
    }),
    async (c) => c.json(await listWebhooks(c.env, c.var.accountId), 200),
  )
  .openapi(
    route("apiKey", {
      method: "delete",
      path: "/v1/webhooks/{webhook}",
      summary: "End an endpoint",
      request: { params },
      responses: {
        200: json(z.object({ removed: z.boolean() }), "Whether it was still there."),
        ...refusals("unauthenticated"),
      },
    }),
    async (c) => {
      const { webhook } = c.req.valid("param");
      return c.json(await removeWebhook(c.env, c.var.accountId, webhook), 200);
    },
  )
  .openapi(
    route("apiKey", {
      method: "get",
      path: "/v1/webhooks/{webhook}/deliveries",
      summary: "How delivering goes, and the last attempts",
      request: { params },
      responses: {
        200: json(api.deliveries, "The state of the endpoint."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { webhook } = c.req.valid("param");
      return c.json(await readDeliveries(c.env, c.var.accountId, webhook), 200);
    },
  )
  .openapi(
    route("apiKey", {
      method: "post",
      path: "/v1/webhooks/{webhook}/replay",
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
      await replayWebhook(c.env, c.var.accountId, webhook, afterEventId);
      return c.json({}, 200);
    },
  );
