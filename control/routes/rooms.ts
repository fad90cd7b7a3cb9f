import { OpenAPIHono, z } from "@hono/zod-openapi";
import * as api from "#schema/api/rooms.ts";
import { idOf, zoneOf } from "#schema/ids.ts";
import type { AppEnv } from "../auth/access.ts";
import { ask } from "../services/ask.ts";
import { revokeTokens } from "../services/revocations.ts";
import {
  changeRoom,
  enterRoom,
  listRooms,
  mintToken,
  openRoom,
} from "../services/rooms.ts";
import { idempotencyOf } from "./idempotency.ts";
import { invalid } from "./invalid.ts";
import { body, idParam, json, refusals, route } from "./spec.ts";

const params = idParam("room", idOf("room"));
const page = z.object({
  cursor: z.string().max(96).default(""),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const rooms = new OpenAPIHono<AppEnv>({ defaultHook: invalid })
  .openapi(
    route("apiKey", {
      method: "post",
      path: "/v1/rooms",
      summary: "Open a room of a tier",
      request: { body: body(api.createRoom) },
      responses: {
        201: json(api.openedRoom, "The open room."),
        ...refusals(
          "unauthenticated",
          "validation-failed",
          "entitlement-missing",
          "account-cap-exceeded",
          "reservation-refused",
          "busy",
        ),
      },
    }),
    async (c) => c.json(await openRoom(c.env, c.var.apiKey, c.req.valid("json")), 201),
  )
  .openapi(
    route("apiKey", {
      method: "get",
      path: "/v1/rooms",
      summary: "List the account's rooms",
      request: { query: page },
      responses: {
        200: json(api.roomList, "A page of rooms."),
        ...refusals("unauthenticated"),
      },
    }),
    async (c) => {
      const { cursor, limit } = c.req.valid("query");
      return c.json(await listRooms(c.env, c.var.accountId, cursor, limit), 200);
    },
  )
  .openapi(
    route("apiKey", {
      method: "get",
      path: "/v1/rooms/{room}",
      summary: "Read a room",
      request: { params },
      responses: {
        200: json(api.room, "The room."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { room: roomId } = c.req.valid("param");
      const { accountId } = c.var;
      return c.json(
        await ask(c.env, zoneOf(roomId) ?? "", "readRoom", { roomId, accountId }),
        200,
      );
    },
  )
  .openapi(
    route("apiKey", {
      method: "patch",
      path: "/v1/rooms/{room}",
      summary: "Change a room: its name, its tier, whether its tier is reserved",
      request: { params, body: body(api.patchRoom) },
      responses: {
        200: json(api.openedRoom, "The room."),
        ...refusals(
          "unauthenticated",
          "not-found",
          "validation-failed",
          "entitlement-missing",
          "account-cap-exceeded",
          "room-closed",
          "room-full",
          "tier-broadcasts-exceeded",
          "reservation-refused",
        ),
      },
    }),
    async (c) => {
      const { room: roomId } = c.req.valid("param");
      const change = c.req.valid("json");
      return c.json(await changeRoom(c.env, c.var.apiKey, roomId, change), 200);
    },
  )
  .openapi(
    route("apiKey", {
      method: "delete",
      path: "/v1/rooms/{room}",
      summary: "Close a room: everyone leaves",
      request: { params },
      responses: {
        200: json(api.room, "The closed room."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { room: roomId } = c.req.valid("param");
      const { accountId } = c.var;
      return c.json(
        await ask(c.env, zoneOf(roomId) ?? "", "closeRoom", { roomId, accountId }),
        200,
      );
    },
  )
  .openapi(
    route("apiKey", {
      method: "post",
      path: "/v1/rooms/{room}/tokens",
      summary: "Mint a join token",
      request: { params, body: body(api.createToken) },
      responses: {
        201: json(api.token, "The token, good for its room and identity."),
        ...refusals("unauthenticated", "not-found", "room-closed", "validation-failed"),
      },
    }),
    async (c) => {
      const { room: roomId } = c.req.valid("param");
      const grants = c.req.valid("json");
      return c.json(await mintToken(c.env, c.var.apiKey, roomId, grants), 201);
    },
  )
  .openapi(
    route("apiKey", {
      method: "post",
      path: "/v1/rooms/{room}/revocations",
      summary: "Void an identity's tokens for a room, and send it out",
      request: { params, body: body(api.createRevocation) },
      responses: {
        201: json(api.revocation, "What was issued before is void from now on."),
        ...refusals("unauthenticated", "not-found", "validation-failed", "unavailable"),
      },
    }),
    async (c) => {
      const { room: roomId } = c.req.valid("param");
      const revoking = c.req.valid("json");
      return c.json(await revokeTokens(c.env, c.var.accountId, roomId, revoking), 201);
    },
  )
  .openapi(
    route("joinToken", {
      method: "post",
      path: "/v1/rooms/{room}/sessions",
      summary: "Enter a room",
      request: { params, body: body(api.enterRoom) },
      responses: {
        201: json(api.entry, "All that a client needs to take part."),
        ...refusals(
          "unauthenticated",
          "revoked",
          "account-suspended",
          "banned",
          "not-found",
          "room-closed",
          "room-full",
          "account-cap-exceeded",
          "idempotency-mismatch",
          "busy",
          "unavailable",
        ),
      },
    }),
    async (c) => {
      const { room: roomId } = c.req.valid("param");
      const key = await idempotencyOf(c, c.var.joining.identity, roomId);
      return c.json(await enterRoom(c.env, roomId, c.var.joining, key), 201);
    },
  )
  .openapi(
    route("apiKey", {
      method: "get",
      path: "/v1/rooms/{room}/sessions",
      summary: "List who is in a room",
      request: { params },
      responses: {
        200: json(api.sessionList, "The sessions."),
        ...refusals("unauthenticated", "not-found"),
      },
    }),
    async (c) => {
      const { room: roomId } = c.req.valid("param");
      const { accountId } = c.var;
      return c.json(
        await ask(c.env, zoneOf(roomId) ?? "", "listSessions", { roomId, accountId }),
        200,
      );
    },
  );
