import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as api from "#schema/api/accounts.ts";
import * as roomApi from "#schema/api/rooms.ts";
import { idOf, zoneOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import {
  changeAccount,
  createAccount,
  endEntitlement,
  grantEntitlement,
  listAccounts,
  showAccount,
} from "../services/accounts.ts";
import { ask } from "../services/ask.ts";
import { addKey, listKeys, resealKeys, revokeKey } from "../services/keys.ts";
import { listRooms } from "../services/rooms.ts";
import { resealWebhooks } from "../services/webhooks.ts";
import { invalid } from "./invalid.ts";
import { body, idParam, json, refusals, route } from "./spec.ts";

const params = idParam("account", idOf("account"));
const keyParams = z.object({ account: idOf("account"), key: idOf("key") });
const page = z.object({
  cursor: z.string().max(96).default(""),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/* The operator's view of who may use the deployment. */
export const accounts = new OpenAPIHono<AppEnv>({ defaultHook: invalid })
  .openapi(
    route("operator", {
      method: "post",
      path: "/v1/accounts",
      summary: "Add an account, with its first API key",
      request: { body: body(api.createAccount) },
      responses: {
        201: json(
          api.createdAccount,
          "The account; its key's secret is shown this once.",
        ),
        ...refusals("validation-failed", "unavailable"),
      },
    }),
    async (c) => c.json(await createAccount(c.env, c.req.valid("json")), 201),
  )
  .openapi(
    route("operator", {
      method: "get",
      path: "/v1/accounts",
      summary: "List the accounts",
      request: { query: page },
      responses: {
        200: json(api.accountList, "A page of accounts."),
        ...refusals("unavailable"),
      },
    }),
    async (c) => {
      const { cursor, limit } = c.req.valid("query");
      return c.json(await listAccounts(c.env, cursor, limit), 200);
    },
  )
  .openapi(
    route("operator", {
      method: "get",
      path: "/v1/accounts/{account}",
      summary: "Read an account and what it is entitled to",
      request: { params },
      responses: {
        200: json(api.account, "The account."),
        ...refusals("not-found", "unavailable"),
      },
    }),
    async (c) => c.json(await showAccount(c.env, c.req.valid("param").account), 200),
  )
  .openapi(
    route("operator", {
      method: "patch",
      path: "/v1/accounts/{account}",
      summary:
        "Change an account: its name, state, tiers, caps and the origins of its pages",
      request: { params, body: body(api.patchAccount) },
      responses: {
        200: json(api.account, "The account."),
        ...refusals("not-found", "validation-failed", "unavailable"),
      },
    }),
    async (c) => {
      const { account } = c.req.valid("param");
      return c.json(await changeAccount(c.env, account, c.req.valid("json")), 200);
    },
  )
  .openapi(
    route("operator", {
      method: "post",
      path: "/v1/accounts/{account}/keys",
      summary: "Make another API key of an account",
      request: { params, body: body(api.createKey) },
      responses: {
        201: json(api.createdKey, "The key; its secret is shown this once."),
        ...refusals("not-found", "too-many-keys", "validation-failed", "unavailable"),
      },
    }),
    async (c) => {
      const { account } = c.req.valid("param");
      return c.json(await addKey(c.env, account, c.req.valid("json").name), 201);
    },
  )
  .openapi(
    route("operator", {
      method: "get",
      path: "/v1/accounts/{account}/keys",
      summary: "List an account's API keys",
      request: { params },
      responses: {
        200: json(api.keyList, "The keys, without their secrets."),
        ...refusals("not-found", "unavailable"),
      },
    }),
    async (c) => c.json(await listKeys(c.env, c.req.valid("param").account), 200),
  )
  .openapi(
    route("operator", {
      method: "delete",
      path: "/v1/accounts/{account}/keys/{key}",
      summary: "Revoke an API key of an account, and the tokens minted with it",
      request: { params: keyParams },
      responses: {
        200: json(api.key, "The revoked key."),
        ...refusals("not-found", "unavailable"),
      },
    }),
    async (c) => {
      const { account, key } = c.req.valid("param");
      return c.json(await revokeKey(c.env, account, key, 0), 200);
    },
  )
  .openapi(
    route("operator", {
      method: "get",
      path: "/v1/accounts/{account}/rooms",
      summary: "List an account's rooms",
      request: { params, query: page },
      responses: {
        200: json(roomApi.roomList, "A page of rooms."),
        ...refusals("unavailable"),
      },
    }),
    async (c) => {
      const { account } = c.req.valid("param");
      const { cursor, limit } = c.req.valid("query");
      return c.json(await listRooms(c.env, account, cursor, limit), 200);
    },
  )
  .openapi(
    route("operator", {
      method: "delete",
      path: "/v1/accounts/{account}/rooms/{room}",
      summary: "Close an account's room: everyone leaves",
      request: { params: z.object({ account: idOf("account"), room: idOf("room") }) },
      responses: {
        200: json(roomApi.room, "The closed room."),
        ...refusals("not-found", "unavailable"),
      },
    }),
    async (c) => {
      const { account: accountId, room: roomId } = c.req.valid("param");
      const input = { roomId, accountId };
      return c.json(await ask(c.env, zoneOf(roomId) ?? "", "closeRoom", input), 200);
    },
  )
  .openapi(
    route("operator", {
      method: "post",
      path: "/v1/accounts/{account}/entitlements",
      summary: "Entitle an account to rooms up to a tier",
      request: { params, body: body(api.grantEntitlement) },
      responses: {
        201: json(api.entitlement, "The entitlement."),
        ...refusals("not-found", "validation-failed", "unavailable"),
      },
    }),
    async (c) => {
      const { account } = c.req.valid("param");
      return c.json(await grantEntitlement(c.env, account, c.req.valid("json")), 201);
    },
  )
  .openapi(
    route("operator", {
      method: "delete",
      path: "/v1/accounts/{account}/entitlements/{entitlement}",
      summary: "End an entitlement now; open rooms stay open",
      request: {
        params: z.object({
          account: idOf("account"),
          entitlement: idOf("entitlement"),
        }),
      },
      responses: {
        200: json(api.entitlement, "The ended entitlement."),
        ...refusals("not-found", "unavailable"),
      },
    }),
    async (c) => {
      const { account, entitlement } = c.req.valid("param");
      return c.json(await endEntitlement(c.env, account, entitlement), 200);
    },
  )
  .openapi(
    route("operator", {
      method: "post",
      path: "/v1/secrets/reseal",
      summary: "Encrypt all API and webhook secrets under the present WEIR_SECRET_KEY",
      responses: {
        200: json(api.resealed, "How many were sealed anew."),
        ...refusals("unavailable"),
      },
    }),
    async (c) => {
      const [keys, hooks] = [await resealKeys(c.env), await resealWebhooks(c.env)];
      const resealed = keys.resealed + hooks.resealed;
      const unchanged = keys.unchanged + hooks.unchanged;
      return c.json({ resealed, unchanged }, 200);
    },
  );
