import { OpenAPIHono } from "@hono/zod-openapi";
import * as api from "#schema/api/accounts.ts";
import { idOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import { changeAccount, showAccount } from "../services/accounts.ts";
import { addKey, listKeys, revokeKey } from "../services/keys.ts";
import { invalid } from "./invalid.ts";
import { body, idParam, json, refusals, route } from "./spec.ts";

/* What an application sees of its own account, and how it rotates its keys. */
export const ownAccount = new OpenAPIHono<AppEnv>({ defaultHook: invalid })
  .openapi(
    route("apiKey", {
      method: "get",
      path: "/v1/account",
      summary: "The account of this API key: what it is entitled to, may hold and holds",
      responses: { 200: json(api.account, "The account."), ...refusals("unavailable") },
    }),
    async (c) => c.json(await showAccount(c.env, c.var.accountId), 200),
  )
  .openapi(
    route("apiKey", {
      method: "patch",
      path: "/v1/account",
      summary: "Say whose pages may call for the account: the origins of its sites",
      request: { body: body(api.patchOwnAccount) },
      responses: {
        200: json(api.account, "The account."),
        ...refusals("validation-failed", "unavailable"),
      },
    }),
    async (c) =>
      c.json(await changeAccount(c.env, c.var.accountId, c.req.valid("json")), 200),
  )
  .openapi(
    route("apiKey", {
      method: "get",
      path: "/v1/account/keys",
      summary: "List the account's API keys",
      responses: {
        200: json(api.keyList, "The keys, without their secrets."),
        ...refusals("unavailable"),
      },
    }),
    async (c) => c.json(await listKeys(c.env, c.var.accountId), 200),
  )
  .openapi(
    route("apiKey", {
      method: "post",
      path: "/v1/account/keys",
      summary: "Make another API key, to change over to",
      request: { body: body(api.createKey) },
      responses: {
        201: json(api.createdKey, "The key; its secret is shown this once."),
        ...refusals("too-many-keys", "validation-failed", "unavailable"),
      },
    }),
    async (c) => {
      const { name } = c.req.valid("json");
      return c.json(await addKey(c.env, c.var.accountId, name), 201);
    },
  )
  .openapi(
    route("apiKey", {
      method: "delete",
      path: "/v1/account/keys/{key}",
      summary: "Revoke an API key and the tokens minted with it; the last one stays",
      request: { params: idParam("key", idOf("key")) },
      responses: {
        200: json(api.key, "The revoked key."),
        ...refusals("not-found", "last-key", "unavailable"),
      },
    }),
    async (c) => {
      const { key } = c.req.valid("param");
      return c.json(await revokeKey(c.env, c.var.accountId, key, 1), 200);
    },
  );
